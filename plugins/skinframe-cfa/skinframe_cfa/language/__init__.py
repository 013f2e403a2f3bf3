"""Terms on generated text."""
