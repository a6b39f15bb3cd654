"""Kept inputs of every parser, each input of the others too; bombs; and minutes of fuzzing."""

from __future__ import annotations

import base64
import functools
import gzip
import json
import re
import subprocess
import sys
import textwrap
import time
import zlib
from pathlib import Path

import pytest

from tests.fuzz_kit import CORPUS, TARGETS, Target, crash, kept

SLOW_TO_READ = ("picture", "certificate", "verdict", "keystore")
"""Left out of what every parser is given of every other's."""


@pytest.mark.parametrize("name", TARGETS)
def test_each_parser_raises_its_own_error_alone(name: str) -> None:
    found = kept(name)
    assert found
    assert [(file, error) for file, data in found if (error := crash(TARGETS[name], data))] == []


@pytest.mark.parametrize("name", [name for name in TARGETS if name not in SLOW_TO_READ])
def test_what_belongs_to_another_parser_is_refused_in_words(name: str) -> None:
    target = TARGETS[name]
    wrong = []
    for other in TARGETS:
        for file, data in kept(other):
            for cut in (data, data[: len(data) // 2], data[:-1], b"", data + b"\n"):
                error = crash(target, cut)
                if error is not None:
                    wrong.append((other, file, len(cut), error))
    assert wrong == []


def test_something_of_each_kind_is_read() -> None:
    """A corpus that every parser refused at its first byte would show little."""
    unread = set()
    for name, target in TARGETS.items():
        if not any(_read(target, data) for _, data in kept(name)):
            unread.add(name)
    assert unread == {"canonical", "keystore"}


def _read(target: Target, data: bytes) -> bool:
    try:
        target.run(data)
    except target.errors:
        return False
    return True


def test_a_crash_would_be_seen() -> None:
    """The control."""

    def broken(data: bytes) -> None:
        raise KeyError(data)

    assert isinstance(crash(Target(broken, (ValueError,)), b"x"), KeyError)
    assert crash(Target(broken, (KeyError,)), b"x") is None


def _zeros(megabytes: int) -> bytes:
    packer = zlib.compressobj(9, wbits=-15)
    block = bytes(1024 * 1024)
    return b"".join([*(packer.compress(block) for _ in range(megabytes)), packer.flush()])


@functools.cache
def bombs() -> dict[str, tuple[str, bytes]]:
    """Small inputs that ask for much, each with the parser that it is for."""
    deep, wide = b"[" * 500_000, b"[" + b"0," * 400_000 + b"0]"
    listed: dict[str, dict[str, object]] = json.loads(kept("status-list")[0][1])
    packed = base64.urlsafe_b64encode(gzip.compress(bytes(300 * 1024 * 1024), 9)).rstrip(b"=")
    listed["credentialSubject"]["encodedList"] = "u" + packed.decode()
    payload = bytes([kept("qr-payload")[0][1][0], 0]) + _zeros(100)
    keystore = json.loads(kept("keystore")[0][1])
    keystore["header"] |= {"memory": 2**40, "operations": 2**30}
    canonical = json.dumps(keystore, separators=(",", ":"), sort_keys=True).encode()
    png = kept("badge-png")[0][1]
    return {
        "deep JSON": ("json", deep),
        "wide JSON, over the limit": ("canonical", wide),
        "many digits": ("json", b"9" * 1_000_000),
        "a long exponent": ("json", b"1e" + b"9" * 100_000),
        "many signatures": ("note", b"x\n1\ny\n\n" + "— x AAAAAAAA\n".encode() * 100_000),
        "a long path": ("add-checkpoint", b"old 1\n" + b"AAAA\n" * 200_000 + b"\n"),
        "an unpacked status list": ("status-list", json.dumps(listed).encode()),
        "an unpacked QR code": ("qr-payload", payload),
        "many QR digits": ("qr-digits", b"1" * 5_000_000),
        "a keystore of a terabyte": ("keystore", canonical),
        "a picture of a terapixel": ("picture", png[:16] + b"\0\x0f\xff\xff" * 2 + png[24:]),
        "deep TOML": ("mapping", b"a = " + b"[" * 100_000),
        "a long TOML key": ("mapping", b"[a" + b".a" * 32_000 + b"]"),
        "a longer one": ("mapping", b"[a" + b".a" * 400_000 + b"]"),
        "one long line": ("results", b"a," * 4_000_000),
        "a quote that never ends": ("results", b'a,b\n"' + b"x\n" * 2_000_000),
        "deep SVG": ("badge-svg", b"<svg>" + b"<g>" * 100_000),
        "entities in SVG": ("badge-svg", _laughs()),
    }


def _laughs() -> bytes:
    lines = [f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12)]
    head = '<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY l0 "ha">'
    return (head + "".join(lines) + "]><svg>&l11;</svg>").encode()


INSIDE = """
    import os, resource, sys
    sys.path.insert(0, ".")
    from tests.fuzz.test_fuzz_corpus import bombs
    from tests.fuzz_kit import TARGETS, crash
    def used():
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return usage.ru_utime + usage.ru_stime, usage.ru_maxrss
    for name, (target, data) in bombs().items():
        if os.fork():
            os.wait()
            continue
        resource.setrlimit(resource.RLIMIT_CPU, (10, 10))
        before = used()
        error = crash(TARGETS[target], data)
        after = used()
        print(f"{name}|{error!r}|{after[0] - before[0]:.2f}|{after[1] - before[1]}", flush=True)
        os._exit(0)
"""


def test_bombs_are_refused_in_time_and_memory(repo: Path) -> None:
    """In a process of its own each, with the memory it takes beyond what was loaded before."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(INSIDE)],
        cwd=repo,
        capture_output=True,
        text=True,
        timeout=200,
        check=True,
    )
    told = [line.split("|") for line in done.stdout.splitlines()]
    assert [name for name, *_ in told] == list(bombs())
    bad = [
        line for line in told if line[1] != "None" or float(line[2]) > 3 or int(line[3]) > 150_000
    ]
    assert bad == []


def test_the_corpus_is_small() -> None:
    assert sum(file.stat().st_size for file in CORPUS.rglob("*") if file.is_file()) < 1_000_000
    assert {folder.name for folder in CORPUS.iterdir()} == set(TARGETS)


@pytest.mark.slow
@pytest.mark.parametrize("name", TARGETS)
def test_a_minute_of_fuzzing(name: str, repo: Path) -> None:
    begun = time.monotonic()
    done = subprocess.run(
        [sys.executable, "scripts/fuzz.py", "--seconds", "60", "--only", name],
        cwd=repo,
        capture_output=True,
        text=True,
        check=False,
    )
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert time.monotonic() - begun > 55
    runs = re.search(r"([\d,]+) runs", done.stdout)
    assert runs is not None
    assert int(runs[1].replace(",", "")) > 100
