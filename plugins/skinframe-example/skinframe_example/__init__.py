"""The tutorial's loss and encoder. Each file is a whole plugin by itself; importing its hook here packages it."""

from skinframe_example.mean_colour import MeanColour, register_encoders
from skinframe_example.smoothed_cross_entropy import SmoothedCrossEntropy, register_losses

__all__ = ["MeanColour", "SmoothedCrossEntropy", "register_encoders", "register_losses"]
