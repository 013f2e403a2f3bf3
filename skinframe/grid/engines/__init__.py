"""Where work items are done: one small interface, and nothing that is correct on one engine only."""
