"""Hearing when a word falls."""
