"""The plan of study: what is next, cards and when they come back, the notes vault, Anki, interviews."""
