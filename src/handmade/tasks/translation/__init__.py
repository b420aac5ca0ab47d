"""Turning one text into another."""
