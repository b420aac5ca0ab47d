"""Translation: turning one text into another."""
