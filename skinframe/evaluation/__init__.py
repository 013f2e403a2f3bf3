"""Metrics with intervals, tests, calibration, epoch selection. Changes no weight."""
