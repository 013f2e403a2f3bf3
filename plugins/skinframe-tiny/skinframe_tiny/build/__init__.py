"""How the embedded weights are made, from the synthetic world alone: `python -m skinframe_tiny.build clip`."""
