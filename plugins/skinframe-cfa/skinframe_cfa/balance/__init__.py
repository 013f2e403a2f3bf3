"""Learned factors of the terms; off unless a recipe names one."""
