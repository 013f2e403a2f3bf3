"""Explain predictions: rationales, heat maps, example cases, and edits of the input."""
