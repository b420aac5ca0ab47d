"""The kernels' fast forms, compiled for this machine's processor when first used.

`build` turns a Python function into machine code and keeps it on disk, `team` is the threads that run it, and `tile`
the block of registers from which most products are made. Every other file holds the fast forms of the file of the same
name in `kernels`: functions of the same names and arguments, which answer NotImplemented where the NumPy form is to do
the work.
"""
