"""Telling spoken words apart."""
