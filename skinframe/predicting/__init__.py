"""Predictions of a trained model: on its own samples, on another data set, on new images."""
