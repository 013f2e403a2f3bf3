"""What probabilities are good for: sets of classes that hold a promise, decisions at a threshold, and for whom."""
