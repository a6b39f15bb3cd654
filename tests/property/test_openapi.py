"""Whatever the OpenAPI document allows, or does not: no answer is a fault of the server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode

from bank.authorization.model import EVERYBODY, Caller
from bank.authorization.table import TABLE
from tests.callers_kit import Site, everybody

RULES = {(method, path.replace(":path}", "}")): rule for (method, path), rule in TABLE.items()}
ORDER = (Caller.INSTITUTION, Caller.BANK, Caller.OWNER, Caller.SISTER, Caller.WALLET)
BASE = "http://localhost"
# As one file's operations share a fixture, phases that repeat a failure would take minutes.
PHASES = (Phase.explicit, Phase.generate)
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
# What can be said of requests in general is said in tests/unit/test_bodies.py.
NOT_OURS = {"content-length", "host", "transfer-encoding", "connection"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with everybody(tmp_path_factory.mktemp("everybody")) as made:
        yield made


def caller_of(method: str, path: str) -> Caller:
    """Somebody whom a route lets in, so that what is behind the guard is tried."""
    rule = RULES[method, path]
    if rule.to == EVERYBODY:
        return Caller.ANONYMOUS
    return next(caller for caller in ORDER if caller in rule.to)


def faults(site: Site, examples: int, modes: list[Any]) -> tuple[int, list[str]]:
    """How many requests were made of all operations, and which got an answer of 500 or above."""
    schema = schemathesis.openapi.from_dict(site.app.openapi())
    found: list[str] = []
    asked = 0

    def try_operation(operation: Any, mode: Any) -> None:
        caller = caller_of(operation.method.upper(), operation.path)

        @seed(8)
        @settings(
            max_examples=examples,
            phases=PHASES,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def once(case: Any) -> None:
            nonlocal asked
            sent = requests.Request(**case.as_transport_kwargs(base_url=BASE)).prepare()
            body = sent.body.encode() if isinstance(sent.body, str) else sent.body
            headers = {
                name: value
                for name, value in sent.headers.items()
                if name.lower() not in NOT_OURS and isinstance(value, str)
            }
            asked += 1
            answer = site.ask(caller, sent.method or "", sent.url or "", body, headers)
            if answer.status_code >= 500:
                found.append(f"{sent.method} {sent.url} {body!r:.200} → {answer.text[:200]}")

        # What has no parameters cannot be asked wrongly.
        with suppress(Unsatisfiable):
            once()

    for result in schema.get_all_operations():
        operation = result.ok()
        for mode in modes:
            try_operation(operation, mode)
    return asked, found


def test_no_input_is_a_fault_of_the_server(site: Site) -> None:
    asked, found = faults(site, 2, [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
    assert asked > 120
    assert found == []


FOUND = [
    ("POST", "/openid4vci/token", b"&".join(b"a=%d" % n for n in range(30)), _FORM),
    ("GET", "/lots/nothing/proof", None, {}),
]
"""What was found this way, and is answered since."""


@pytest.mark.parametrize(("method", "path", "body", "headers"), FOUND)
def test_what_was_found(
    site: Site, method: str, path: str, body: bytes | None, headers: dict[str, str]
) -> None:
    answer = site.ask(Caller.ANONYMOUS, method, path, body, headers)
    assert 400 <= answer.status_code < 500, answer.text


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_no_input_is_a_fault_of_the_server_at_length(site: Site) -> None:
    asked, found = faults(site, 25, [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
    print(f"{asked} requests")
    assert found == []


def test_a_fault_would_be_found(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control."""

    def broken(name: str) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(site.small.bank.lots, "get", broken)
    _, found = faults(site, 1, [GenerationMode.POSITIVE])
    assert any("/lots/" in line for line in found)
