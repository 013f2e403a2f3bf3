"""Terms that bring two branches' class probabilities together."""
