"""The log published to an S3-compatible store, and read from there by people who know nothing else.

The server is moto's, on loopback; nothing is kept in memory between the two sides.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from moto.server import ThreadedMotoServer

from ledger import Checkpoint, StoreFault, open_note
from ledger.audit import audit
from ledger.log import Log
from ledger.object_store import ObjectStoreTarget
from ledger.publishing import FolderTarget, Target, publish
from ledger.sources import open_source
from ledger.store import open_store
from ledger.tlog_tiles import resources
from tests.conftest import Story
from tests.log_kit import ORIGIN, VERIFIER, awards, checkpointer_on, new_log, sequencer_on

Run = Callable[..., subprocess.CompletedProcess[str]]
PREFIX = "s3://tiles/cq/log"
SETTINGS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "NO_PROXY": "127.0.0.1",
    "no_proxy": "127.0.0.1",
}


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty bucket; the web address of what will be published in it."""
    for name, value in {**SETTINGS, "AWS_ENDPOINT_URL": server}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3", raising=False)
    httpx.post(f"{server}/moto-api/reset").raise_for_status()
    httpx.put(f"{server}/tiles", headers={"x-amz-acl": "public-read"}).raise_for_status()
    return f"{server}/tiles/cq/log"


class Growing:
    """A log that grows and is published."""

    def __init__(self, folder: Path) -> None:
        self.engine = new_log(f"sqlite:///{folder / 'log.db'}")
        self.sequencer = sequencer_on(self.engine)
        self.checkpointer = checkpointer_on(self.engine)
        self.log = Log(self.engine)

    def grow(self, start: int, count: int) -> None:
        self.sequencer.append(awards(start, count))
        self.checkpointer.sign()

    def publish(self, target: Target) -> int:
        log = self.log
        return publish(
            target,
            log.checkpoint(),
            log.tile,
            lambda start, end: list(log.entries(start, end)),
            log.root,
        )


@pytest.fixture
def growing(tmp_path: Path) -> Iterator[Growing]:
    growing = Growing(tmp_path)
    yield growing
    growing.engine.dispose()


def test_what_is_in_the_bucket_is_what_a_folder_holds(
    bucket: str, growing: Growing, tmp_path: Path
) -> None:
    target, folder = ObjectStoreTarget(PREFIX), FolderTarget(tmp_path / "public")
    old = 0
    for start, count in ((0, 20), (20, 400), (420, 180)):
        growing.grow(start, count)
        written = growing.publish(target)
        assert written == growing.publish(folder)
        assert written == len(list(resources(old, growing.log.size()))) + 1
        old = growing.log.size()
        for path in (tmp_path / "public").rglob("*"):
            if path.is_file():
                name = path.relative_to(tmp_path / "public").as_posix()
                assert target.get(name) == path.read_bytes(), name
    assert growing.publish(target) == 1


def test_strangers_read_it_over_http_and_audit_it(bucket: str, growing: Growing) -> None:
    target = ObjectStoreTarget(PREFIX)
    for start, count in ((0, 300), (300, 300)):
        growing.grow(start, count)
        growing.publish(target)
        size = growing.log.size()
        log = open_source(bucket)
        opened = open_note(log.checkpoint(), [VERIFIER])
        assert Checkpoint.parse(opened.text).size == size
        report = audit(log.entries(0, size), [log.checkpoint()])
        assert report.passed, report.problems
        assert report.origin == ORIGIN
        for index in (0, 255, 256, size - 1):
            assert log.receipt(index) == growing.log.receipt(index)
        assert log.consistency(6, size) == growing.log.consistency(6, size)


def test_caches_are_told_what_never_changes(bucket: str, growing: Growing) -> None:
    growing.grow(0, 300)
    growing.publish(ObjectStoreTarget(PREFIX))
    answer = httpx.get(f"{bucket}/checkpoint")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache, max-age=5"
    for path in ("tile/0/000", "tile/entries/000", "tile/1/000.p/1"):
        answer = httpx.get(f"{bucket}/{path}")
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"


def test_a_backup_and_a_fork_are_refused_there_too(
    bucket: str, growing: Growing, tmp_path: Path
) -> None:
    growing.grow(0, 10)
    growing.engine.dispose()
    for name in ("backup.db", "fork.db"):
        shutil.copy(tmp_path / "log.db", tmp_path / name)
    growing.grow(10, 300)
    target = ObjectStoreTarget(PREFIX)
    growing.publish(target)
    shown = target.get("checkpoint")
    for name, count in (("backup.db", 1), ("fork.db", 900)):
        engine = open_store(f"sqlite:///{tmp_path / name}")
        sequencer_on(engine).append(awards(5000, count))
        checkpointer_on(engine).sign()
        growing.log = Log(engine)
        with pytest.raises(StoreFault, match=r"restored backup.*ledger recover"):
            growing.publish(target)
        engine.dispose()
    assert target.get("checkpoint") == shown


def test_the_checkpoint_is_written_last(
    bucket: str, growing: Growing, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = ObjectStoreTarget(PREFIX)
    growing.grow(0, 10)
    before = growing.log.size()
    growing.publish(target)
    growing.grow(10, 300)
    after = growing.log.size()
    paths: list[str] = []
    put = target.put

    def failing(path: str, data: bytes, media_type: str) -> None:
        if len(paths) == fail_at:
            raise StoreFault("interrupted")
        paths.append(path)
        put(path, data, media_type)

    monkeypatch.setattr(target, "put", failing)
    count = len(list(resources(before, after))) + 1
    for fail_at in range(count):  # noqa: B007 - read by `failing`
        paths.clear()
        with pytest.raises(StoreFault, match="interrupted"):
            growing.publish(target)
        log = open_source(bucket)
        assert audit(log.entries(0, before), [log.checkpoint()]).passed
    paths.clear()
    fail_at = -1
    assert growing.publish(target) == count
    assert paths[-1] == "checkpoint"
    log = open_source(bucket)
    assert audit(log.entries(0, after), [log.checkpoint()]).passed


def test_what_is_not_there_is_none_and_a_bad_store_is_told(
    bucket: str, growing: Growing, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ObjectStoreTarget(PREFIX).get("tile/0/000") is None
    growing.grow(0, 1)
    with pytest.raises(StoreFault, match=r"s3://absent/log/.* cannot be"):
        growing.publish(ObjectStoreTarget("s3://absent/log"))
    with pytest.raises(StoreFault, match="cannot be used"):
        ObjectStoreTarget("s3://")


def test_the_command_publishes_audits_and_monitors(
    bucket: str, story: Story, tmp_path: Path, run: Run
) -> None:
    data = tmp_path / "var"
    shutil.copytree(story.data, data)
    done = run("ledger", "publish", PREFIX, "--data", str(data))
    assert done.returncode == 0, done.stderr
    assert f"files written to {PREFIX}" in done.stdout
    done = run("ledger", "publish", PREFIX, "--data", str(data))
    assert done.stdout == f"1 files written to {PREFIX}\n"
    done = run("ledger", "audit", bucket)
    assert done.returncode == 0, done.stderr
    assert "audit passed" in done.stdout
    done = run("ledger", "monitor", bucket, "--state", str(tmp_path / "watch"))
    assert done.returncode == 0, done.stderr
    assert "all good" in done.stdout
    path, name = f"{bucket}/tile/{{}}/000", "tile/{}/000"
    for kind in ("entries", "0"):
        good = httpx.get(path.format(kind)).content
        changed = bytearray(good)
        changed[len(changed) // 2] ^= 1
        target = ObjectStoreTarget(PREFIX)
        target.put(name.format(kind), bytes(changed), "application/octet-stream")
        assert run("ledger", "audit", bucket).returncode == 1
        target.put(name.format(kind), good, "application/octet-stream")
        assert run("ledger", "audit", bucket).returncode == 0
