"""The server: its routes, and how it starts and ends. Starlette and uvicorn are loaded when it starts, not before."""

import asyncio
import gzip
import hashlib
import json
import secrets
import socket
import sys
import threading
import traceback
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, ExitStack, suppress
from html import escape
from pathlib import Path
from typing import Any

import anyio
import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from handmade.errors import InputError
from handmade.web import images, questions, steering
from handmade.web.answering import AROUND, answered
from handmade.web.events import Busy, Eventful
from handmade.web.explorers import NAMES, explorer_named
from handmade.web.frames import MEDIA_TYPE, Answer
from handmade.web.guard import Guard
from handmade.web.observatory import Observatory
from handmade.web.study import TITLES as STUDY

STATIC = Path(__file__).parent / "static"
TYPES = {".js": "text/javascript", ".css": "text/css", ".woff2": "font/woff2", ".html": "text/html"}

SECONDS = 30.0
"""How long a question may take."""

AT_ONCE, WAITING = 2, 4
"""Questions that are worked on at the same time, and those that may wait for it."""

FRAMES = 20
"""Times a second that a stream looks for new events."""

OVERWORKED = ("too many questions at once: ask again.", {"retry-after": "1"})


class Overworked(Exception):
    """Too many questions at once."""


class Server:
    """The pages over one observatory, as an ASGI application: `app`."""

    def __init__(self, observatory: Observatory, port: int, token: str, seconds: float = SECONDS) -> None:
        self.observatory = observatory
        self.seconds = seconds
        self.ending = anyio.Event()
        self._asked = 0
        self._given_up = 0  # questions that took too long, and whose threads still run
        self._working = asyncio.Semaphore(AT_ONCE)
        self._files = {path.relative_to(STATIC).as_posix(): path for path in STATIC.rglob("*") if path.is_file()}
        routes = [
            Route("/", self.page),
            *(Route(f"/{name}", self.page) for name in (*NAMES, *STUDY)),
            Route("/static/{name:path}", self.file),
            Route("/api/image", self.image, methods=["POST"]),
            Route("/api/saved", self.saved, methods=["POST"]),
            Route("/api/jobs", self.begin, methods=["POST"]),
            Route("/api/jobs/{name:str}", self.measure, methods=["POST"]),
            Route("/api/jobs/{number:int}/events", self.events, methods=["GET"]),
            Route("/api/jobs/{number:int}/{what}", self.order, methods=["POST"]),
            *(Route(f"/api/{name}", self.answer, methods=["POST"]) for name in (*NAMES, *AROUND, *STUDY)),
        ]
        self.app = Guard(Starlette(routes=routes), port, token)

    async def page(self, request: Request) -> Response:
        """A page of HTML, the same for every explorer but for its name."""
        name = request.url.path.strip("/") or "list"
        titles = {"list": "The observatory", **STUDY}
        title = titles[name] if name in titles else explorer_named(name).title
        text = (STATIC / "page.html").read_text("utf-8")
        return Response(text.replace("{name}", name).replace("{title}", escape(title)), media_type="text/html")

    async def file(self, request: Request) -> Response:
        """A file of `static`, by a list of their names: no path is ever made of what came."""
        path = self._files.get(request.path_params["name"])
        if path is None or path.suffix not in TYPES or path.name == "page.html":
            return Response("there is no such file", 404, media_type="text/plain")
        content = path.read_bytes()
        tag = f'"{hashlib.sha256(content).hexdigest()[:20]}"'
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers={"etag": tag})
        headers = {"etag": tag, "vary": "accept-encoding"}
        if path.suffix in (".js", ".css") and "gzip" in request.headers.get("accept-encoding", ""):
            content, headers["content-encoding"] = gzip.compress(content, 6), "gzip"
        return Response(content, media_type=TYPES[path.suffix], headers=headers)

    async def answer(self, request: Request) -> Response:
        """One question to an explorer, or about what stands around its picture: one frame."""
        to = request.url.path.rpartition("/")[2]
        return await self._answered(request, lambda content: answered(to, content, self.observatory))

    async def image(self, request: Request) -> Response:
        """An image file; its number comes back."""
        return await self._answered(
            request, lambda content: answered("image", content, self.observatory), images.LARGEST
        )

    async def saved(self, request: Request) -> Response:
        """A stream of events: the exercises whose files were just saved."""

        async def events() -> AsyncIterator[str]:
            yield ": listening\n\n"
            async for names in self.observatory.bench.saved(self.ending):
                yield f"event: saved\ndata: {json.dumps(names)}\n\n"

        return StreamingResponse(events(), media_type="text/event-stream")

    async def begin(self, request: Request) -> Response:
        """Begin a job; its number comes back."""
        return await self._answered(request, lambda content: steering.begin(content, self.observatory))

    async def measure(self, request: Request) -> Response:
        """Begin to measure what an explorer tells piece by piece; the job's number comes back."""
        name = request.path_params["name"]
        if name not in NAMES or explorer_named(name).pieces is None:
            return _error(404, f"nobody measures piece by piece for {name[:40]!r}.")
        return await self._answered(request, lambda content: steering.measure(name, content, self.observatory))

    async def order(self, request: Request) -> Response:
        """Pause a job, change its rate, fork its run, or end it."""
        number, what = request.path_params["number"], request.path_params["what"]
        if what not in steering.ORDERS:
            return _error(404, f"a job knows {', '.join(steering.ORDERS)}.")
        return await self._answered(request, lambda content: steering.order(number, what, content, self.observatory))

    async def events(self, request: Request) -> Response:
        """A stream of a job's events, from the one after Last-Event-ID on; "end" is the last."""
        last = request.headers.get("last-event-id", "-1")
        try:
            job, after = self.observatory.jobs.job(request.path_params["number"]), int(last)
        except InputError as error:
            return _error(404, str(error))
        except ValueError:
            return _error(400, "Last-Event-ID is no number.")
        reader = job.read()
        try:
            reader.__enter__()
        except Busy as error:
            return _error(429, str(error))
        return StreamingResponse(self._events(job, after + 1, reader), media_type="text/event-stream")

    async def _events(self, job: Eventful, number: int, reader: AbstractContextManager[None]) -> AsyncIterator[str]:
        """At most FRAMES texts a second, each of all events since the one before."""
        with ExitStack() as stack:
            stack.push(reader)
            yield ": listening\n\n"
            while not self.ending.is_set():
                live, new = job.live, job.since(number)
                for number, kind, data in new:
                    yield f"id: {number}\nevent: {kind}\ndata: {data}\n\n"
                    number += 1
                if not live:
                    yield "event: end\ndata: {}\n\n"
                    return
                await asyncio.sleep(1 / FRAMES)

    async def _answered(
        self, request: Request, work: Callable[[bytes], Answer], largest: int = questions.LARGEST
    ) -> Response:
        """What `work` makes of the request's body, in a thread: a frame, or an error as JSON."""
        if self._asked >= AT_ONCE + WAITING:
            return _error(429, *OVERWORKED)
        self._asked += 1
        try:
            return await self._received(request, work, largest)
        finally:
            self._asked -= 1

    async def _received(self, request: Request, work: Callable[[bytes], Answer], largest: int) -> Response:
        try:
            async with asyncio.timeout(self.seconds):
                content = await _body(request, largest)
        except TimeoutError:
            return _error(408, f"the question did not arrive within {self.seconds:g} seconds.")
        except ClientDisconnect:
            return Response(status_code=408)  # nobody is there to read it
        if content is None:
            return _error(413, f"that is more than {largest:,} bytes.")
        try:
            answer = await self._in_turn(lambda: work(content).frame())
        except Overworked:
            return _error(429, *OVERWORKED)
        except Busy as error:
            return _error(429, str(error))
        except InputError as error:
            return _error(422, str(error))
        except TimeoutError:
            self.observatory.models.forget_busy()
            return _error(503, f"that takes more than {self.seconds:g} seconds: ask for less.")
        except Exception as error:
            traceback.print_exc(file=sys.stderr)
            return _error(500, f"handmade failed on this, which is its mistake: {type(error).__name__}: {error}")
        return Response(answer, media_type=MEDIA_TYPE)

    async def _in_turn(self, work: Callable[[], bytes]) -> bytes:
        async with self._working:
            if self._given_up >= AT_ONCE + WAITING:
                raise Overworked
            return await self._in_thread(work)

    async def _in_thread(self, work: Callable[[], bytes]) -> bytes:
        """What `work` gives, in a thread of its own: a daemon, so that none that was given up keeps the program."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[bytes] = loop.create_future()
        given_up = False

        def settle(result: bytes, error: BaseException | None) -> None:
            if given_up:
                self._given_up -= 1
            elif error is not None:
                future.set_exception(error)
            else:
                future.set_result(result)

        def run() -> None:
            result, error = b"", None
            try:
                result = work()
            except BaseException as raised:
                error = raised
            with suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(settle, result, error)

        threading.Thread(target=run, daemon=True).start()
        done, _ = await asyncio.wait([future], timeout=self.seconds)
        if not done:
            given_up = True
            self._given_up += 1
            raise TimeoutError
        return future.result()


async def _body(request: Request, largest: int) -> bytes | None:
    """The body of a request; None where it is larger. ClientDisconnect where the other side goes before its end."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > largest:
            return None
        parts.append(part)
    return b"".join(parts)


def _error(status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"error": message}, status, headers)


def loopback(port: int) -> list[socket.socket]:
    """Sockets that listen on 127.0.0.1 and, where there is one, on ::1; on a free port for 0. InputError if taken."""
    try:
        first = socket.create_server(("127.0.0.1", port))
    except OSError as error:
        raise InputError(
            f"port {port} cannot be used ({error.strerror}): choose another, or 0 for any that is free."
        ) from None
    sockets = [first]
    with suppress(OSError):
        sockets.append(socket.create_server(("::1", first.getsockname()[1]), family=socket.AF_INET6))
    return sockets


def new_token() -> str:
    """192 random bits, in letters."""
    return secrets.token_urlsafe(24)


def configured(server: Server) -> uvicorn.Server:
    """uvicorn's server for `server`: without WebSocket, without a word about itself, and no line for each request."""
    config = uvicorn.Config(
        server.app,
        ws="none",
        http="h11",
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    return _Ending(config, server)


class _Ending(uvicorn.Server):
    """It tells the streams when it ends, so that none of them keeps it."""

    def __init__(self, config: uvicorn.Config, server: Server) -> None:
        super().__init__(config)
        self._server = server

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._server.ending.set()
        await super().shutdown(sockets)


def serve(observatory: Observatory, sockets: list[socket.socket], token: str) -> None:
    """Answer until Ctrl-C; then the observatory is closed."""
    try:
        asyncio.run(_serve(observatory, sockets, token))
    finally:
        observatory.close()
        for one in sockets:
            one.close()


async def _serve(observatory: Observatory, sockets: list[socket.socket], token: str) -> None:
    port: Any = sockets[0].getsockname()[1]
    await configured(Server(observatory, port, token)).serve(sockets)
