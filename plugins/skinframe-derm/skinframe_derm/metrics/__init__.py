"""The official metrics of dermatology's challenges and sets, each under its own name."""
