"""Text in and out: tokens, embeddings, decoding, scores."""
