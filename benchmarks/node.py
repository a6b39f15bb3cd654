"""The Node peer: @digitalbazaar/vc, as tests/peers installs it."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

from benchmarks.measure import PeerMissing
from benchmarks.samples import INSTITUTION, REPO
from credentials.rdf import context, known_contexts
from keys import Json, did_document, verification_method

NAME = "@digitalbazaar/vc 7.3"
_MODULES = REPO / "tests" / "peers" / "node_modules"


def ask(mode: str, suite: str, number: int, warm: int, credential: dict[str, Json]) -> float:
    """How many a second the peer issues or verifies, after `warm` that are not counted."""
    question = {
        "mode": mode,
        "suite": suite,
        "count": number,
        "warm": warm,
        "credential": credential,
        "contexts": {url: context(url) for url in known_contexts()},
        "controller": did_document(INSTITUTION.did, [INSTITUTION.signer.public_key]),
        "method": verification_method(INSTITUTION.did, INSTITUTION.signer.public_key),
        "seed": (b"i" * 32).hex(),
    }
    return float(json.loads(run(question))["rate"])


def run(question: dict[str, object]) -> str:
    """A fresh Node process's answer."""
    if shutil.which("node") is None or not _MODULES.is_dir():
        raise PeerMissing("Node and the packages of tests/peers are not on this machine")
    # The script must lie beside node_modules for its imports to be found.
    script = _MODULES / ".bench.mjs"
    script.write_bytes(Path(__file__).with_name("peer.mjs").read_bytes())
    done = subprocess.run(
        ["node", str(script)],
        input=json.dumps(question),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["it said nothing"]
        raise PeerMissing(f"the peer failed: {lines[-1][:200]}")
    return done.stdout
