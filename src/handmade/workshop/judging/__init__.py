"""The judge: it has a solution run in the cell, and says what is right and which mistake was made."""
