"""What a trained model is used with: one object for people, the command line, the lens and the pages."""

from typing import ClassVar, Protocol, runtime_checkable

from handmade.nn import Module


@runtime_checkable
class Use(Protocol):
    """A model with all that it takes to use it: its classes, its tokenizer, how its inputs are made.

    purpose: what it does, as the end of 'a model that does not ...': 'classify images'.
    name: the model's, as recipes and the zoo call it.
    trained: False for a network with its first, random weights, which knows nothing.
    """

    purpose: ClassVar[str]

    @property
    def name(self) -> str: ...

    @property
    def model(self) -> Module: ...

    @property
    def trained(self) -> bool: ...
