"""Work on finished runs: rewrite and compare reports, export tables, reproduce."""
