"""Filling in what is hidden in a text, as BERT does."""
