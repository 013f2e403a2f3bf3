"""Terms that bring image regions and clinical descriptions together in one space."""
