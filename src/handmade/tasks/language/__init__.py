"""Writing on: language models of characters."""
