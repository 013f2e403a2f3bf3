"""Room 8: prediction tables, calibrated probabilities, metrics with intervals. It never changes a weight."""
