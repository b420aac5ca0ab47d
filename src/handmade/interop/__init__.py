"""Ways out of handmade, and back: the same network under another engine. Nothing here loads unless it is asked for."""
