"""What the generated parts of the pages are made of, one file a subject."""
