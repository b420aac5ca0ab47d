"""handmade watch: every save is checked."""


def watch() -> None:
    """Check each exercise when you save it. Keys: h hint, l list, n next, c check again, q quit."""
    from contextlib import suppress
    from pathlib import Path

    from handmade.cli.checking import here
    from handmade.cli.watching import Watch
    from handmade.workshop.judging.judge import Judge
    from handmade.workshop.workspace import workspace_around

    workspace = here(workspace_around(Path.cwd()))
    with suppress(KeyboardInterrupt), Judge() as judge:
        Watch(workspace, judge).run()
