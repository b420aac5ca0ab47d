"""The judge: runs a solution in the cell, and says what is right and which mistake was made."""
