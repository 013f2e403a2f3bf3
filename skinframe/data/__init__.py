"""Samples, manifests, splits by group, safe image reading, batches of named signals. Knows no model."""
