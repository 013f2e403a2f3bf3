"""One run from a recipe to a report: run folder, environment, training, verification."""
