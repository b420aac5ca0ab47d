"""Trigger-word detection."""
