"""Attention: one head and many, masks, gradients."""
