"""handmade look: the observatory, pages in the browser over the live models and one's own code."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from handmade.web.observatory import Observatory


def look(
    page: Annotated[
        str | None,
        typer.Argument(
            metavar="[PAGE]", help="A page, as heads, or in a state, as 'heads#layer=1'; by default the list of them."
        ),
    ] = None,
    source: Annotated[
        str | None,
        typer.Argument(
            metavar="[RUN|MODEL]",
            help="A run's folder, as runs/gpt-1, or a network, as resnet20; by default the runs here.",
        ),
    ] = None,
    weights: Annotated[
        str | None, typer.Option(help="For a network: a weights file, or the name of published weights.")
    ] = None,
    image: Annotated[
        Path | None, typer.Option(help="An image, or a folder of images, for a classifier to look at.")
    ] = None,
    export: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the page into one file, which opens anywhere, and end."),
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port; 0 for any that is free.")] = 0,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Whether to open the browser at the address.")
    ] = True,
) -> None:
    """Look into live models in the browser: attention, blocks, windows, with your own code beside the reference.

    It listens on this machine only, finds the runs and the workspace around this folder, and ends with Ctrl-C. From
    another machine: ssh -L 8000:127.0.0.1:8000, and --port 8000 here.

    --export page.html writes one page, with the answers that belong to its state, into a file: for a friend, for notes.
    """
    from handmade.cli.screen import say
    from handmade.errors import InputError, suggestion
    from handmade.web.pages import EXPLORERS, STUDY

    name, _, state = (page or "").partition("#")
    pages = (*EXPLORERS, *STUDY)
    if page is not None and source is None and name not in pages:
        name, state, source = "", "", page  # the page may be left out
        _require_model(source)
    if name and name not in pages:
        raise InputError(f"there is no page {name!r}{suggestion(name, pages)} There are {', '.join(pages)}.")
    if weights is not None and source is None:
        raise InputError("--weights belongs to a network: give its name, for example resnet20.")
    if export is not None and name not in EXPLORERS:
        wrong = f"{page!r} is no page{suggestion(page, EXPLORERS)} " if page else ""
        raise InputError(f"{wrong}--export writes one page: say which of {', '.join(EXPLORERS)}.")

    def observatory() -> "Observatory":
        from handmade.web.observatory import Observatory  # with it comes nearly all of handmade

        return Observatory.around(Path.cwd(), source, weights, image)

    if export is not None:
        _write(export, name, state, observatory())
        say(f"Wrote {export}: it opens in a browser, without handmade and without a network.")
        return
    if source is not None or image is not None:
        there = observatory()  # what cannot be opened is said now
        _serve(name, state, port, browser, lambda: there)
    else:
        _serve(name, state, port, browser, observatory)


def _require_model(source: str) -> None:
    """InputError for what is neither a page, which was tried before, nor a run, nor a network."""
    from handmade.errors import InputError, suggestion
    from handmade.models import ZOO
    from handmade.web.pages import EXPLORERS, STUDY

    if source in ZOO or Path(source).exists() or len(Path(source).parts) > 1:
        return
    pages = (*EXPLORERS, *STUDY)
    raise InputError(
        f"{source!r} is no page, no run and no network{suggestion(source, (*pages, *ZOO))} The pages are "
        f"{', '.join(pages)}; `handmade models` lists the networks."
    )


def _write(path: Path, name: str, state: str, observatory: "Observatory") -> None:
    from handmade.files import write_text
    from handmade.web.exporting import exported

    try:
        write_text(path, exported(name, state, observatory))
    finally:
        observatory.close()


def _serve(name: str, state: str, port: int, browser: bool, make: "Callable[[], Observatory]") -> None:
    """Print the address, open it, and answer there until Ctrl-C. make: what answers; pages do not wait for it."""
    import threading
    import webbrowser
    from contextlib import ExitStack

    from threadpoolctl import threadpool_limits

    from handmade.cli.screen import say
    from handmade.web.private import private_folder
    from handmade.web.server import loading, loopback, new_token, serve

    sockets, token = loopback(port), new_token()
    address = f"http://127.0.0.1:{sockets[0].getsockname()[1]}/{name}#token={token}{state and '&'}{state}"
    print(address, flush=True)
    say("The observatory is open at this address, on this machine only. Ctrl-C ends it.")
    with ExitStack() as stack:
        stack.enter_context(threadpool_limits(1, user_api="blas"))  # small products: a second thread costs more
        if browser:
            opening = written_page(Path(stack.enter_context(private_folder())), address)
            threading.Thread(target=webbrowser.open, args=(opening.as_uri(),), daemon=True).start()
        serve(loading(make), sockets, token)


def written_page(folder: Path, address: str) -> Path:
    """A page that leads to `address`: everyone on the machine can read a browser's command line, and not this file."""
    path = folder / "open.html"
    path.touch(0o600)
    path.write_text(f'<!doctype html><title>handmade</title><meta http-equiv="refresh" content="0;url={address}">\n')
    return path
