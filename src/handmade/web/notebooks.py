"""`handmade.explore`: an explorer in a notebook (Jupyter, marimo, VS Code), over models that are there as objects."""

from typing import TYPE_CHECKING, Any

from handmade.errors import InputError

if TYPE_CHECKING:
    from handmade.web.widget import Widget


def explore(name: str, model: Any = None, *, images: Any = None, **state: Any) -> "Widget":
    """An explorer as the output of a cell.

        handmade.explore("heads", handmade.open("runs/gpt-1"), text="To be, or not to be", layer=1, head=2)
        handmade.explore("flow", handmade.open("resnet20", weights=FILE), images="photo.jpg")
        handmade.explore("hand")

    name: the explorer, as its page is called under `handmade look`: hand, heads, conv, flow ...
    model: what `handmade.open` gives, or the folder of a run. Without one, the runs around the notebook.
    images: an image file, or a folder of images, for a classifier to look at.
    state: where it starts, under the names that the address of its page has (`text`, `layer`, `head` ...).

    The state is then `widget.address`, which follows what is done in the picture, and can be set. Your own code and the
    judge's verdict come from the workspace around the notebook.

    It needs anywidget: pip install 'handmade[notebook]'. Raises InputError where that is missing, for an unknown
    explorer, a model that it cannot look into, and a state that does not fit.
    """
    try:
        import anywidget  # noqa: F401
    except ImportError:
        raise InputError(
            "explore draws with anywidget, which is not installed: pip install 'handmade[notebook]', "
            "and restart the kernel."
        ) from None
    from handmade.web.widget import widget

    return widget(name, model, images, state)
