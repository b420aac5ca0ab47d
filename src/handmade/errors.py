"""The one error of our own: something a person gave cannot be used."""


class InputError(ValueError):
    """A file, a name or an option that cannot be used; the message says what came, what was expected and the mend.

    The command line prints it as one sentence and ends with exit code 2. Shapes and types that do not fit
    raise Python's own ValueError and TypeError, as in PyTorch.
    """
