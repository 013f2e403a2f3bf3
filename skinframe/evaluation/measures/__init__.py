"""Families of metrics, one a file: each a pure function of labels, probabilities and weights, and a thin class."""
