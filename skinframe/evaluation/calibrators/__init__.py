"""Calibrators of more than one parameter; they read log probabilities, which know no constant in a row of logits."""
