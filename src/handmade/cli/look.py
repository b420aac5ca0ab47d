"""handmade look: the observatory, pages in the browser over the live models and one's own code."""

from pathlib import Path
from typing import Annotated

import typer


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
    import threading
    import webbrowser
    from tempfile import TemporaryDirectory

    from threadpoolctl import threadpool_limits

    from handmade.cli.screen import say
    from handmade.errors import InputError, suggestion
    from handmade.files import write_text
    from handmade.web.bench import Bench
    from handmade.web.explorers import NAMES
    from handmade.web.images import Images, images_at
    from handmade.web.jobs import Jobs
    from handmade.web.models import Models, given_source
    from handmade.web.observatory import Observatory
    from handmade.web.server import loopback, new_token, serve
    from handmade.web.study import TITLES
    from handmade.workshop.workspace import workspace_around

    name, _, state = (page or "").partition("#")
    pages = (*NAMES, *TITLES)
    if page is not None and source is None and name not in pages:
        name, state, source = "", "", page  # the page may be left out
    if name and name not in pages:
        raise InputError(f"there is no page {name!r}{suggestion(name, pages)} There are {', '.join(pages)}.")
    if weights is not None and source is None:
        raise InputError("--weights belongs to a network: give its name, for example resnet20.")
    if export is not None and name not in NAMES:
        wrong = f"{page!r} is no page{suggestion(page, NAMES)} " if page else ""
        raise InputError(f"{wrong}--export writes one page: say which of {', '.join(NAMES)}.")
    given = [] if source is None else [given_source(source, weights)]
    images = Images([] if image is None else images_at(image))
    bench, jobs = Bench(workspace_around(Path.cwd())), Jobs(Path.cwd())
    observatory = Observatory(Models(Path.cwd(), given), bench, images, jobs)
    if export is not None:
        from handmade.web.exporting import exported

        try:
            write_text(export, exported(name, state, observatory))
        finally:
            observatory.close()
        say(f"Wrote {export}: it opens in a browser, without handmade and without a network.")
        return
    sockets, token = loopback(port), new_token()
    address = f"http://127.0.0.1:{sockets[0].getsockname()[1]}/{name}#token={token}{state and '&'}{state}"
    print(address, flush=True)
    say("The observatory is open at this address, on this machine only. Ctrl-C ends it.")
    with (
        TemporaryDirectory(prefix="handmade-look-") as private,  # this user's alone
        threadpool_limits(1, user_api="blas"),  # small products: a second thread costs more than it gives
    ):
        if browser:
            opening = written_page(Path(private), address)
            threading.Thread(target=webbrowser.open, args=(opening.as_uri(),), daemon=True).start()
        serve(observatory, sockets, token)


def written_page(folder: Path, address: str) -> Path:
    """A page that leads to `address`: everyone on the machine can read a browser's command line, and not this file."""
    path = folder / "open.html"
    path.touch(0o600)
    path.write_text(f'<!doctype html><title>handmade</title><meta http-equiv="refresh" content="0;url={address}">\n')
    return path
