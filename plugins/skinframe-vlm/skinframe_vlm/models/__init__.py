"""One file a family: what its whole model, its template and its eyes are, and how its language model is called."""
