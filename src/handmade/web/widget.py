"""The widget behind `handmade.explore`: the modules of the pages, and Python that answers in the kernel."""

import asyncio
import sys
import threading
import traceback
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import anyio
import anywidget
import traitlets

from handmade.errors import InputError, suggestion
from handmade.web import linking
from handmade.web.addresses import address
from handmade.web.answering import answered
from handmade.web.bench import Bench
from handmade.web.explorers import NAMES, explorer_named
from handmade.web.held import held
from handmade.web.images import Images, images_at
from handmade.web.models import Models
from handmade.web.observatory import Observatory

HOST = "/static/lib/notebook.js"


class Widget(anywidget.AnyWidget):
    """One explorer in a notebook. Questions come as messages and are answered in the kernel, one after the other.

    address: the state, as behind the # of the explorer's page.
    """

    address = traitlets.Unicode("").tag(sync=True)

    def __init__(self, name: str, observatory: Observatory, state: str) -> None:
        self._name = name
        self._observatory = observatory
        self._listeners: dict[tuple[str, int], threading.Event] = {}
        self._esm, self._css = explorer_module(name), linking.styles()
        super().__init__(address=state)
        self.on_msg(self._received)

    def close(self) -> None:
        """End it, and all that listens."""
        for stop in self._listeners.values():
            stop.set()
        super().close()

    def _received(self, _: Any, message: Mapping[str, Any], buffers: list[Any]) -> None:
        reply = {"view": message.get("view"), "id": message.get("id")}
        if "listen" in message:
            self._listen(message["listen"], reply)
        elif "stop" in message:
            self._stop(reply)
        else:
            self._answer(message, buffers, reply)

    def _answer(self, message: Mapping[str, Any], buffers: list[Any], reply: dict[str, Any]) -> None:
        content = bytes(buffers[0]) if buffers else str(message.get("question", "")).encode()
        try:
            frame = answered(message.get("to") or self._name, content, self._observatory).frame()
        except InputError as error:
            return self.send({**reply, "error": str(error)})
        except Exception as error:
            traceback.print_exc(file=sys.stderr)
            said = f"handmade failed on this, which is its mistake: {type(error).__name__}: {error}"
            return self.send({**reply, "error": said})
        self.send(reply, [frame])

    def _listen(self, path: str, reply: dict[str, Any]) -> None:
        """Tell of saved files until it is stopped. Another stream has no listener in a notebook."""
        if path != "saved":
            return
        stop = self._listeners[reply["view"], reply["id"]] = threading.Event()

        async def follow() -> None:
            ending = anyio.Event()

            async def wait() -> None:
                while not stop.is_set():
                    await asyncio.sleep(0.2)
                ending.set()

            waiting = asyncio.create_task(wait())
            async for names in self._observatory.bench.saved(ending):
                self.send({**reply, "event": "saved", "data": names})
            await waiting

        threading.Thread(target=lambda: asyncio.run(follow()), daemon=True).start()

    def _stop(self, reply: dict[str, Any]) -> None:
        stop = self._listeners.pop((reply["view"], reply["id"]), None)
        if stop is not None:
            stop.set()


def widget(name: str, model: Any, images: Any, state: Mapping[str, Any]) -> Widget:
    """As `explore`, with anywidget there."""
    if name not in NAMES:
        raise InputError(f"there is no explorer {name!r}{suggestion(name, NAMES)} There are {', '.join(NAMES)}.")
    explorer, here = explorer_named(name), Path.cwd()
    models = Models(here) if model is None else held(name, explorer, model)
    if model is None and explorer.fits is not None and not models.sources(explorer.fits):
        raise InputError(
            f"{name} looks into a model: give one, as handmade.open gives it. `{explorer.trains}` makes one."
        )
    files = Images([] if images is None else images_at(Path(images)))
    return Widget(name, Observatory(models, _bench(here), files), address(explorer, state))


@cache
def explorer_module(name: str) -> str:
    """The explorer as anywidget takes it: one module whose default has `render({model, el})`."""
    entry = f"/static/explorers/{name}.js"
    return linking.module(
        entry,
        HOST,
        then=f"""const explorer = loaded[{entry!r}].default, {{ notebookHost }} = loaded[{HOST!r}];
export default {{
  render({{ model, el }}) {{
    const host = notebookHost(model, el), end = explorer.render({{ host, el }});
    return () => {{ end(); host.end(); }};
  }},
}};""",
    )


@cache
def _bench(folder: Path) -> Bench:
    """One process for the learner's code, however many widgets there are."""
    return Bench(folder)
