"""Tests of a claim: two areas, two error rates, any paired difference, no worse than, over seeds, and many at once."""
