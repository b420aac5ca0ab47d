"""What a Transformer has beside attention: positions, norms, blocks, the cache."""
