"""Telling the classes of images apart."""
