"""Reading a log over HTTP, from whoever runs it: no answer costs more than it may."""

import gzip
import time
from collections.abc import Callable, Iterator

import httpx
import pytest

from ledger import sources
from ledger.errors import NotFound, StoreFault
from ledger.sources import open_source
from ledger.static import StaticLog


def served(answer: Callable[[httpx.Request], httpx.Response]) -> StaticLog:
    return open_source("https://a.example/log", httpx.Client(transport=httpx.MockTransport(answer)))


def test_a_file_is_read_whole_packed_or_not() -> None:
    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        packed = {"Content-Encoding": "gzip"}
        return httpx.Response(200, content=gzip.compress(b"a note"), headers=packed)

    assert served(answer).checkpoint() == "a note"
    assert asked == ["https://a.example/log/checkpoint"]
    assert served(lambda request: httpx.Response(200, content=b"x")).checkpoint() == "x"


@pytest.mark.parametrize("status", [301, 304, 403, 500, 503])
def test_another_status_is_told_and_a_missing_file_is_missing(status: int) -> None:
    with pytest.raises(StoreFault, match=f"https://a.example/log/checkpoint answered {status}"):
        served(lambda request: httpx.Response(status, content=b"x")).checkpoint()
    with pytest.raises(NotFound):
        served(lambda request: httpx.Response(404, content=b"x")).checkpoint()


@pytest.mark.parametrize("pause", [0.0, 0.02], ids=["endless", "drop by drop"])
def test_an_answer_without_end_is_cut_off(pause: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "_LONGEST", 0.2 if pause else 60)
    sent = []

    def drops() -> Iterator[bytes]:
        while sum(sent) < 100_000_000 and len(sent) < 10_000:
            sent.append(1 if pause else 65536)
            time.sleep(pause)
            yield b"x" * sent[-1]

    with pytest.raises(StoreFault, match="does not stop answering"):
        served(lambda request: httpx.Response(200, content=drops())).checkpoint()
    assert sum(sent) <= 33 * 1024 * 1024


def test_a_small_answer_that_unpacks_without_end_is_cut_off() -> None:
    packed = gzip.compress(bytes(200_000_000), compresslevel=1)
    pieces = []

    def some() -> Iterator[bytes]:
        for start in range(0, len(packed), 1024):
            pieces.append(start)
            yield packed[start : start + 1024]

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=some(), headers={"Content-Encoding": "gzip"})

    with pytest.raises(StoreFault, match="does not stop answering"):
        served(answer).checkpoint()
    # The control: most of it was never taken.
    assert len(pieces) < len(packed) // 1024 // 2
