"""From a plan to what training reads: images, split, cached features, and what follows from the training counts."""
