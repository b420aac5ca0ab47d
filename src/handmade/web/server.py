"""The server: its routes, and how it starts and ends.

Starlette and uvicorn are loaded when it starts, not before; models, exercises and what they stand on while the browser
opens: pages are sent without them, and the first question waits.
"""

import asyncio
import json
import secrets
import signal
import socket
import sys
import threading
import traceback
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future
from contextlib import AbstractContextManager, ExitStack, suppress
from typing import TYPE_CHECKING, Any

import anyio
import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from handmade.errors import InputError
from handmade.web import questions
from handmade.web.events import Busy
from handmade.web.frames import MEDIA_TYPE, Answer
from handmade.web.guard import Guard
from handmade.web.pages import EXPLORERS, STUDY
from handmade.web.questions import AROUND
from handmade.web.static_files import StaticFiles

if TYPE_CHECKING:
    from handmade.web.events import Eventful
    from handmade.web.observatory import Observatory

SECONDS = 30.0
"""How long a question may take."""

AT_ONCE, WAITING = 2, 4
"""Questions that are worked on at the same time, and those that may wait for it."""

FRAMES = 20
"""Times a second that a stream looks for new events."""

OVERWORKED = "too many questions at once: ask again."


class Server:
    """The pages over one observatory, as an ASGI application: `app`. Pages are sent before the observatory is there."""

    def __init__(self, observatory: "Future[Observatory]", port: int, token: str, seconds: float = SECONDS) -> None:
        self.observatory = observatory
        self.seconds = seconds
        self.ending = anyio.Event()
        self._asked = 0
        self._given_up = 0  # questions that took too long, and whose threads still run
        self._working = asyncio.Semaphore(AT_ONCE)
        self._files = StaticFiles()
        routes = [
            Route("/", self.page),
            *(Route(f"/{name}", self.page) for name in (*EXPLORERS, *STUDY)),
            Route("/static/{name:path}", self.file),
            Route("/api/image", self.image, methods=["POST"]),
            Route("/api/saved", self.saved, methods=["POST"]),
            Route("/api/jobs", self.begin, methods=["POST"]),
            Route("/api/jobs/{name:str}", self.measure, methods=["POST"]),
            Route("/api/jobs/{number:int}/events", self.events, methods=["GET"]),
            Route("/api/jobs/{number:int}/{what}", self.order, methods=["POST"]),
            *(Route(f"/api/{name}", self.answer, methods=["POST"]) for name in (*EXPLORERS, *AROUND, *STUDY)),
        ]
        self.app = Guard(Starlette(routes=routes), port, token)

    async def page(self, request: Request) -> Response:
        """A page of HTML: its title, its question, and the modules that draw the rest."""
        return Response(self._files.page(request.url.path.strip("/")), media_type="text/html")

    async def file(self, request: Request) -> Response:
        """A file of `static`."""
        found = self._files.file(request.path_params["name"])
        if found is None:
            return Response("there is no such file", 404, media_type="text/plain")
        content, packed, media_type, tag = found
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers={"etag": tag})
        headers = {"etag": tag, "vary": "accept-encoding"}
        if packed is not None and "gzip" in request.headers.get("accept-encoding", ""):
            content, headers["content-encoding"] = packed, "gzip"
        return Response(content, media_type=media_type, headers=headers)

    async def answer(self, request: Request) -> Response:
        """One question to an explorer, or about what stands around its picture: one frame."""
        to = request.url.path.rpartition("/")[2]
        return await self._answered(request, lambda content: _answer(to, content, self.observatory.result()))

    async def image(self, request: Request) -> Response:
        """An image file; its number comes back."""
        return await self._answered(
            request,
            lambda content: _answer("image", content, self.observatory.result()),
            questions.LARGEST_IMAGE,
        )

    async def saved(self, request: Request) -> Response:
        """A stream of events: the exercises whose files were just saved."""

        async def events() -> AsyncIterator[str]:
            yield ": listening\n\n"
            observatory = await self._loaded()
            async for names in observatory.bench.saved(self.ending):
                yield f"event: saved\ndata: {json.dumps(names)}\n\n"

        return StreamingResponse(events(), media_type="text/event-stream")

    async def begin(self, request: Request) -> Response:
        """Begin a job; its number comes back."""
        observatory = await self._loaded()
        from handmade.web.steering import begin

        return await self._answered(request, lambda content: begin(content, observatory))

    async def measure(self, request: Request) -> Response:
        """Begin to measure what an explorer tells piece by piece; the job's number comes back."""
        name = request.path_params["name"]
        observatory = await self._loaded()
        from handmade.web.explorers import explorer_named
        from handmade.web.steering import measure

        if name not in EXPLORERS or explorer_named(name).pieces is None:
            return _error(404, f"nobody measures piece by piece for {name[:40]!r}.")
        return await self._answered(request, lambda content: measure(name, content, observatory))

    async def order(self, request: Request) -> Response:
        """Pause a job, change its rate, fork its run, or end it."""
        observatory = await self._loaded()
        from handmade.web.steering import ORDERS, order

        number, what = request.path_params["number"], request.path_params["what"]
        if what not in ORDERS:
            return _error(404, f"a job knows {', '.join(ORDERS)}.")
        return await self._answered(request, lambda content: order(number, what, content, observatory))

    async def events(self, request: Request) -> Response:
        """A stream of a job's events, from the one after Last-Event-ID on; "end" is the last."""
        last = request.headers.get("last-event-id", "-1")
        try:
            observatory = await self._loaded()
            job, after = observatory.jobs.job(request.path_params["number"]), int(last)
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

    async def _events(self, job: "Eventful", number: int, reader: AbstractContextManager[None]) -> AsyncIterator[str]:
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

    async def _loaded(self) -> "Observatory":
        return await asyncio.shield(asyncio.wrap_future(self.observatory))

    async def _answered(
        self, request: Request, work: Callable[[bytes], Answer], largest: int = questions.LARGEST
    ) -> Response:
        """What `work` makes of the request's body, in a thread: a frame, or an error as JSON."""
        if self._asked >= AT_ONCE + WAITING:
            return _error(429, OVERWORKED)
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
        except Busy as error:
            return _error(429, str(error))
        except InputError as error:
            return _error(422, str(error))
        except TimeoutError:
            if self.observatory.done():
                self.observatory.result().models.forget_busy()
            return _error(503, f"that takes more than {self.seconds:g} seconds: ask for less.")
        except Exception as error:
            traceback.print_exc(file=sys.stderr)
            return _error(500, f"handmade failed on this, which is its mistake: {type(error).__name__}: {error}")
        return Response(answer, media_type=MEDIA_TYPE)

    async def _in_turn(self, work: Callable[[], bytes]) -> bytes:
        async with self._working:
            if self._given_up >= AT_ONCE + WAITING:
                raise Busy(OVERWORKED)
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


def _answer(to: str, content: bytes, observatory: "Observatory") -> Answer:
    from handmade.web.answering import answered

    return answered(to, content, observatory)


def _error(status: int, message: str) -> Response:
    return JSONResponse({"error": message}, status, {"retry-after": "1"} if status == 429 else None)


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
    for one in sockets:  # and their connections: a body does not wait 40 ms until its headers are confirmed
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
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


def loading(make: "Callable[[], Observatory]") -> "Future[Observatory]":
    """What `make` gives, in a thread that begins now."""
    future: Future[Observatory] = Future()

    def load() -> None:
        try:
            future.set_result(make())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=load, daemon=True).start()
    return future


def serve(observatory: "Future[Observatory]", sockets: list[socket.socket], token: str) -> None:
    """Answer until Ctrl-C or the signal to end; then the observatory is closed."""
    signal.signal(
        signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM)
    )  # uvicorn raises it again when it has ended
    try:
        asyncio.run(_serve(observatory, sockets, token))
    finally:
        for one in sockets:
            one.close()
        if observatory.done() and observatory.exception() is None:
            observatory.result().close()


async def _serve(observatory: "Future[Observatory]", sockets: list[socket.socket], token: str) -> None:
    port: Any = sockets[0].getsockname()[1]
    await configured(Server(observatory, port, token)).serve(sockets)
