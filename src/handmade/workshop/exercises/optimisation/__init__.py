"""Optimizers, schedules, initial weights: what makes training work."""
