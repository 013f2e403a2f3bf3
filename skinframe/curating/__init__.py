"""Audit data sets before training: duplicates, split leaks, label leaks, shifted sets."""
