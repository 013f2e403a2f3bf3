"""Reporting guidelines as data, and what a run can answer of them by itself."""
