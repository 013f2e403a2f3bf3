"""Terms that compare class scores with labels, one sample at a time."""
