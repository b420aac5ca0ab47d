"""Spoken-word classification."""
