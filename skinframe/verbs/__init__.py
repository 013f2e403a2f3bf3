"""The commands of skinframe, as Python functions and in the command line."""
