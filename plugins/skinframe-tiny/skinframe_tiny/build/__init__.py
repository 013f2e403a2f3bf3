"""Builds the embedded weights from synthetic data alone: `python -m skinframe_tiny.build clip`."""
