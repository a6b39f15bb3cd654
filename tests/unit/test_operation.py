"""What a server tells of itself: log lines, figures, readiness; and no word of anybody."""

from __future__ import annotations

import gc
import io
import json
import logging
import socket
import stat
import subprocess
import sys
import urllib.request
import warnings
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from opentelemetry import trace
from sqlalchemy import text

from bank.api.app import make_app
from bank.cli.bank_verbs import set_up_link
from bank.errors import BadSetup
from bank.operations.figures_server import serving_figures
from bank.operations.log_lines import LOGGER, JsonLines
from ledger.store import writing
from tests.api_kit import Signing, new_key
from tests.bank_kit import NORTH_UNIT, SmallBank, small_bank

SECRET = "Ouyang Secretname 1234"


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallBank]:
    with small_bank(tmp_path_factory.mktemp("operation") / "bank") as made:
        yield made


@pytest.fixture
def http(small: SmallBank) -> Iterator[TestClient]:
    with TestClient(make_app(small.bank), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What the root logger writes meanwhile."""
    # A server that another test started with uvicorn's own settings has kept these to itself.
    for name in ("uvicorn", "uvicorn.error"):
        monkeypatch.setattr(logging.getLogger(name), "propagate", True)
        monkeypatch.setattr(logging.getLogger(name), "handlers", [])
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    root, ours = logging.getLogger(), logging.getLogger(LOGGER)
    before = root.handlers[:], root.level, ours.level
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    ours.setLevel(logging.INFO)
    logging.captureWarnings(True)
    yield stream
    logging.captureWarnings(False)
    root.handlers[:] = before[0]
    root.setLevel(before[1])
    ours.setLevel(before[2])


def read(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def requests(stream: io.StringIO) -> list[dict[str, Any]]:
    return [line for line in read(stream) if line["event"] == "request"]


def figure(http: TestClient, name: str, **labels: str) -> float | None:
    value = http.app.state.figures.registry.get_sample_value(name, labels)  # type: ignore[attr-defined]
    return None if value is None else float(value)


def test_a_request_is_one_line(http: TestClient, lines: io.StringIO) -> None:
    answer = http.get(f"/ledger/entries/3?name={SECRET}", headers={"X-Request-Id": SECRET})
    (line,) = requests(lines)
    assert set(line) == {
        *("time", "level", "event", "request", "method", "route", "status", "ms"),
    }
    assert line["route"] == "/ledger/entries/{index}"
    assert line["method"] == "GET"
    assert line["status"] == 200
    assert answer.headers["x-request-id"] == line["request"] != SECRET
    assert SECRET not in lines.getvalue()


@pytest.mark.parametrize(
    ("method", "path", "route", "status"),
    [
        ("GET", f"/{SECRET}", "no route", 404),
        ("GET", f"/s/{SECRET}", "/s/{secret}", 404),
        ("POST", "/statements", "/statements", 401),
        ("GET", "/statements", "/statements", 405),
        ("GET", f"/ledger/entries/{SECRET}", "/ledger/entries/{index}", 422),
        (f"X{SECRET[:6]}", "/livez", "/livez", 405),
    ],
)
def test_every_route_by_its_template(
    http: TestClient, lines: io.StringIO, method: str, path: str, route: str, status: int
) -> None:
    assert http.request(method, path).status_code == status
    (line,) = requests(lines)
    assert (line["route"], line["status"]) == (route, status)
    assert SECRET[:6] not in lines.getvalue()
    known = method if method in ("GET", "POST") else "OTHER"
    assert line["method"] == known
    labels = {"method": known, "route": route, "status": str(status)}
    assert figure(http, "creditbank_requests_total", **labels) == 1


def test_who_signed_is_told_by_key(small: SmallBank, http: TestClient, lines: io.StringIO) -> None:
    key = new_key(small.bank, small.north.did)
    answer = http.post("/slots", json={"lots": []}, auth=Signing(small.bank, key))
    assert answer.status_code == 200, answer.text
    assert requests(lines)[0]["key"] == key.public_key.multikey


def test_an_unforeseen_error_is_told_without_its_words(
    small: SmallBank, http: TestClient, lines: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(index: int) -> bytes:
        raise ValueError(SECRET)

    monkeypatch.setattr(small.bank.log, "entry", fail)
    assert http.get("/ledger/entries/3").status_code == 500
    told = [line for line in read(lines) if line["event"] == "request failed"]
    assert told[0]["error"].startswith("ValueError at ")
    assert told[0]["route"] == "GET /ledger/entries/{index}"
    assert SECRET not in lines.getvalue()
    assert requests(lines)[0]["status"] == 500
    assert figure(http, "creditbank_errors_total", error="ValueError") == 1


def test_what_other_packages_log_is_told_by_its_place(lines: io.StringIO) -> None:
    gc.collect()  # what others left open warns now, and not in between
    lines.seek(0)
    lines.truncate()
    logging.getLogger("httpx").warning("GET https://x/?name=%s", SECRET)
    logging.getLogger("uvicorn.error").error(f"broken: {SECRET}")
    try:
        raise KeyError(SECRET)
    except KeyError:
        logging.getLogger("uvicorn.error").exception("Exception in ASGI application")
    warnings.warn(SECRET, stacklevel=1)
    found = read(lines)
    assert len(found) == 4
    assert found[0]["event"].startswith("httpx at test_operation.py, line ")
    assert found[2]["error"].startswith("KeyError at ")
    assert SECRET not in lines.getvalue()
    logging.getLogger(LOGGER).info(SECRET, extra={"name_of": SECRET})
    control = read(lines)[-1]
    assert control["event"] == SECRET  # what this program says itself is not looked through
    assert "name_of" not in control


def test_figures(small: SmallBank, http: TestClient) -> None:
    size = small.bank.log.size()
    assert figure(http, "creditbank_log_entries") == size
    small.submit(small.north.publish_unit(replace(NORTH_UNIT, code="CS999"), Decimal(4)))
    assert figure(http, "creditbank_log_entries") == size + 1
    assert figure(http, "creditbank_shown_entries") == size + 1
    assert figure(http, "creditbank_append_seconds_count") == 1
    assert figure(http, "creditbank_ready") == 1
    assert figure(http, "creditbank_queue_batches") == 0
    assert figure(http, "creditbank_signing_halted") == 0
    age = figure(http, "creditbank_checkpoint_age_seconds")
    assert age is not None
    assert 0 <= age < 60
    assert (figure(http, "creditbank_commits_total") or 0) > 0
    assert (figure(http, "creditbank_disk_free_bytes") or 0) > 0


def test_figures_have_a_port_of_their_own(http: TestClient) -> None:
    figures = http.app.state.figures  # type: ignore[attr-defined]
    assert http.get("/metrics").status_code == 404
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with (
            pytest.raises(BadSetup, match=f"cannot be served at 127.0.0.1:{port}"),
            serving_figures(f"127.0.0.1:{port}", figures),
        ):
            pass
    with (
        serving_figures(f"127.0.0.1:{port}", figures),
        urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer,
    ):
        page = answer.read().decode()
    assert "creditbank_log_entries" in page
    assert "learner" not in page


def test_live_and_ready(http: TestClient) -> None:
    assert http.get("/livez").json() == {"status": "ok"}
    assert http.get("/readyz").json() == {"status": "ok"}


@pytest.mark.parametrize(
    ("shape", "status"), [("0003", 503), ("0999", 200)], ids=["older", "newer: rolling upgrade"]
)
def test_a_stale_database_is_not_ready(tmp_path: Path, shape: str, status: int) -> None:
    with small_bank(tmp_path / "bank") as small, TestClient(make_app(small.bank)) as http:
        with writing(small.bank._engine) as connection:
            connection.execute(text(f"UPDATE alembic_version SET version_num = '{shape}'"))
        assert http.get("/readyz").status_code == status
        assert http.get("/livez").status_code == 200


def test_refused_signing_is_not_ready(tmp_path: Path) -> None:
    with small_bank(tmp_path / "bank") as small, TestClient(make_app(small.bank)) as http:
        small.bank.checkpoints._checkpointer.halt("a witness has seen more")
        answer = http.get("/readyz")
        assert answer.status_code == 503
        assert answer.json()["reason"] == "a witness has seen more"
        assert figure(http, "creditbank_ready") == 0
        assert figure(http, "creditbank_signing_halted") == 1


def test_a_lost_tail_is_not_ready(tmp_path: Path) -> None:
    with small_bank(tmp_path / "bank") as small, TestClient(make_app(small.bank)) as http:
        with writing(small.bank._engine) as connection:
            connection.execute(text("UPDATE head SET size = size - 1"))
        assert "fewer than the" in http.get("/readyz").json()["reason"]


def test_the_first_link_is_in_no_log(small: SmallBank) -> None:
    url = "http://localhost:1/"
    told = set_up_link(small.bank, url, shown=False)
    path = small.bank.settings.folder / "set-up-link"
    assert told == f"the address in {path}"
    assert path.read_text().startswith(f"{url}set-up?code=")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert set_up_link(small.bank, url, shown=True).startswith(f"{url}set-up?code=")


def test_tracing_is_not_imported_unless_it_is_on(tmp_path: Path) -> None:
    code = (
        "import sys, bank.api.app; heavy = ('opentelemetry.sdk', 'opentelemetry.exporter'); "
        "print(sorted(name for name in sys.modules if name.startswith(heavy)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_span_has_the_template_and_not_the_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

    sent: list[Any] = []

    class Kept(SpanExporter):
        def export(self, spans: Any) -> SpanExportResult:
            sent.extend(spans)
            return SpanExportResult.SUCCESS

    monkeypatch.setattr(
        "opentelemetry.exporter.otlp.proto.http.trace_exporter.OTLPSpanExporter", Kept
    )
    from bank.operations.tracing import start_tracing

    begin = start_tracing()
    numbers: list[Any] = []

    def fail() -> None:
        with begin() as told:
            numbers.append(told("GET", "/s/{secret}", 404))
            numbers.append(trace.get_current_span())
            raise ValueError(SECRET)

    with pytest.raises(ValueError, match=SECRET):
        fail()
    numbers[1]._span_processor.force_flush()
    assert len(numbers[0]) == 32
    (one,) = sent
    assert one.name == "GET /s/{secret}"
    assert dict(one.attributes)["http.response.status_code"] == 404
    assert SECRET not in one.to_json()
