"""What could make a figure wrong before a model is trained: duplicates, split leaks, label leaks, shifted sets."""
