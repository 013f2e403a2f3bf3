"""Training: an iterator of checkpoints. It evaluates nothing and chooses no epoch."""
