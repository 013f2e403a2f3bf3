"""The verbs of skinframe, one a file: each is a Python function, and its signature declares the command's options."""
