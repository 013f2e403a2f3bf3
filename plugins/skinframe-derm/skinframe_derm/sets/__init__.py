"""One TOML file a data set: where it comes from, which column may go where, what its labels mean."""
