"""The module that computes model signals from batch signals, and the objective over the loss terms."""
