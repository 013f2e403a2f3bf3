"""One run from recipe to report: run folder, environment, training, verification."""
