"""Many questions: fifty at once are answered as they are alone, and hundreds leave no memory behind.

A thousand are asked by `python -m benchmarks look_endures`.
"""

import gc
import http.client
import json
import threading
import time
from pathlib import Path

import pytest

from handmade.web.frames import MEDIA_TYPE

AT_ONCE = 50


def answered(server, path, question):
    """The answer's bytes; asked again while there are too many questions."""
    for _ in range(2000):
        status, _, body = server.request(path, question)
        if status != 429:
            assert status == 200, body
            return body
        time.sleep(0.005)
    raise AssertionError("always too many questions")


@pytest.mark.slow
def test_fifty_questions_at_once_are_answered_as_they_are_alone(server):
    """Of one model, which each changes in its own way for the time of its question, and of another explorer."""
    text = {"text": "ROMEO: But soft"}
    questions = [
        ("/api/hand", {"heads": 2, "mask": "causal"})
        if n % 10 == 9
        else (
            "/api/heads",
            {**text, "layer": n % 2, "head": n // 2 % 2, "sharpness": 1 + n % 5, "off": [[n % 2, n % 3 % 2]]},
        )
        for n in range(AT_ONCE)
    ]
    alone = {str(question): answered(server, *question) for question in questions}
    together: dict[int, bytes] = {}
    threads = [
        threading.Thread(target=lambda n=n: together.update({n: answered(server, *questions[n])}))
        for n in range(AT_ONCE)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(set(alone.values())) > 10
    for n, question in enumerate(questions):
        assert together[n] == alone[str(question)], question


def resident() -> int:
    """Bytes of memory that this process has."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the system does not tell")
def test_hundreds_of_questions_leave_no_memory_behind(server):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    sent = {"Origin": server.url, "Authorization": f"Bearer {server.token}"}

    def ask(count):
        for n in range(count):
            question = {"q": [[n % 7, 1], [2, n % 5]], "k": [[1, n % 3], [0, 1]], "v": [[1, 0], [0, n]]}
            connection.request("POST", "/api/hand", json.dumps(question), sent)
            answer = connection.getresponse()
            assert (answer.status, answer.headers["content-type"]) == (200, MEDIA_TYPE)
            assert len(answer.read()) > 500
        gc.collect()

    ask(50)  # what is made once
    before, threads = resident(), threading.active_count()
    ask(150)
    connection.close()
    assert resident() - before <= 3 << 20  # as much for each as 20 MB are for a thousand
    assert threading.active_count() <= threads + 1
