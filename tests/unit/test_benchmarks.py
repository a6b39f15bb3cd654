"""The benchmarks run and say what they promise; how fast anything is, is not tested here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
NAMES = {
    "lot_map_100k",
    "passbook_500",
    "rebuild_300k",
    "recognise_10k_rules",
    "award_path",
    "issue_rdfc",
    "verify_rdfc",
    "issue_jcs",
    "verify_jcs",
    "cold_verify",
    "cold_verify_jcs",
    "verify_folder_1000",
    "page_qr_to_verdict",
    "page_ready_offline",
    "append_sqlite_100",
    "append_sqlite_1000",
    "append_postgres_1000",
    "api_append_64",
    "append_single_100k",
    "prove_100k",
    "verify_inclusion_100k",
    "audit_signed",
    "audit_unsigned",
}


def bench(*options: str, path: str | None = None) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "CREDITBANK_BENCH_SCALE": "0.002",
        "CREDITBANK_BENCH_ROUNDS": "1",
    }
    if path is not None:
        environment["PATH"] = path
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", *options],
        cwd=REPO,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def figure(name: str, path: str | None = None) -> dict[str, object]:
    done = bench("--json", "--only", name, path=path)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert list(found) == [name]
    value: dict[str, object] = found[name]
    assert set(value) - {"note"} == {"ours", "peer", "ratio", "unit", "peer_name"}
    return value


def test_the_names_are_these() -> None:
    done = bench("--list")
    assert done.returncode == 0, done.stderr
    names = done.stdout.split()
    assert len(names) == len(NAMES)
    assert set(names) == NAMES


@pytest.mark.parametrize("name", ["append_sqlite_100", "audit_signed"])
def test_a_figure_has_its_shape(name: str) -> None:
    value = figure(name)
    ours, peer, ratio = value["ours"], value["peer"], value["ratio"]
    assert isinstance(ours, float)
    assert isinstance(peer, float)
    assert isinstance(ratio, float)
    assert ours > 0
    assert ratio == pytest.approx(ours / peer, rel=0.01, abs=0.001)
    assert value["unit"] == "entries/s"


def test_a_missing_peer_is_told(tmp_path: Path) -> None:
    value = figure("issue_jcs", path=str(tmp_path))
    assert isinstance(value["ours"], float)
    assert value["peer"] is None
    assert value["ratio"] is None
    assert "Node" in str(value["note"])


def test_an_unknown_name_is_refused() -> None:
    done = bench("--only", "nothing")
    assert done.returncode == 2
    assert "nothing" in done.stderr
    assert done.stdout == ""
