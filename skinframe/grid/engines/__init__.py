"""Where the runs of a grid are made: one small interface, and nothing that is correct on one engine only."""
