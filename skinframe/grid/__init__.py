"""Ablations, sweeps and learning curves: arms, seeds, workers, and one comparison of all runs."""
