"""Terms that bring confidence and accuracy together; most are statistics of a batch, so they hold a queue."""
