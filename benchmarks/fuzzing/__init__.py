"""The parts of `python -m benchmarks fuzz`: tiny files, what damages them, what reads them, and who watches over it."""
