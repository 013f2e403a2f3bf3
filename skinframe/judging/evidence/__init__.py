"""The further tables of a report, one a file, from any predictions."""
