"""Differentiable operations on arrays, one function each: its value and its pullback side by side."""
