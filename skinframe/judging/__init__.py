"""Evaluate any predictions: options, sources, figures with intervals, and the sections of the report."""
