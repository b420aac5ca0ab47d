"""Masked language modelling, BERT's task: filling in hidden tokens."""
