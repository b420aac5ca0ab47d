"""The site: pages written by hand, and `docs.making`, which makes the others from the source."""
