"""HEAD (RFC 9110, section 9.3.2): what GET answers, without its body, at every address."""

import asyncio

import pytest
from starlette.types import Message, Receive, Scope, Send

from bank.api.heads import Heads
from benchmarks.samples import small_bank
from tests.api_kit import client

PATHS = ("/livez", "/ledger/checkpoint", "/log/checkpoint", "/v/", "/explore", "/nothing/there")


@pytest.mark.parametrize("path", PATHS)
def test_the_same_answer_without_its_body(path: str) -> None:
    with small_bank(3) as (bank, _):
        http = client(bank)
        get, head = http.get(path), http.head(path)
        assert head.content == b"" != get.content
        assert head.status_code == get.status_code
        for name in ("content-type", "content-length", "cache-control", "location"):
            assert head.headers.get(name) == get.headers.get(name), name


def test_nothing_is_changed_by_it() -> None:
    with small_bank(3) as (bank, _):
        assert client(bank).head("/statements").status_code == 405


def test_of_a_stream_only_its_end_is_sent() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["method"] == "GET"
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"some", "more_body": True})
        await send({"type": "http.response.body", "body": b"more"})

    said: list[Message] = []

    async def send(message: Message) -> None:
        said.append(message)

    async def receive() -> Message:
        raise AssertionError("nobody asks for the body of a HEAD")

    scope: Scope = {"type": "http", "method": "HEAD"}
    asyncio.run(Heads(app)(scope, receive, send))
    assert [message.get("body") for message in said] == [None, b""]
    assert scope["method"] == "HEAD"
