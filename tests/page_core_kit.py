"""The verifier page's own core, run in Node and in Chromium, to be held against Python's."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from credentials import CredentialsError
from credentials.qr import from_digits
from tests.browser_kit import chromium, serving, visiting
from verifier import Evidence, Trust, VerifierError, read_evidence, verify


@dataclass(frozen=True)
class Task:
    """Something to verify: a file's bytes, or the digits of a QR code."""

    name: str
    at: datetime
    file: bytes | None = None
    digits: str = ""

    def for_page(self) -> str:
        what: dict[str, object] = {"at": int(self.at.timestamp() * 1000)}
        if self.file is None:
            what["digits"] = self.digits
        else:
            what["bytes"] = base64.b64encode(self.file).decode()
        return json.dumps(what)

    def by_python(self, trust: Trust) -> object:
        try:
            if self.file is not None:
                evidence = read_evidence(self.file, "the file")
            else:
                evidence = Evidence(*from_digits(self.digits), "qr")
        except (VerifierError, CredentialsError):
            return "unreadable"
        report = verify(evidence, trust, self.at)
        return report.verdict.value, [
            (one.name, one.outcome.value, one.code, one.date, one.caution, one.unknown)
            for one in report.checks
        ]


Runner = Callable[[Path, list[Task]], list[object]]


def in_node(repo: Path, trust: Path, tasks: list[Task]) -> list[object]:
    if shutil.which("node") is None:
        pytest.skip("Node is not on this machine: scripts/peers installs it")
    done = subprocess.run(
        ["node", str(repo / "tests" / "peers" / "page_core.mjs"), str(trust)],
        input="\n".join(task.for_page() for task in tasks),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [_said(json.loads(line)) for line in done.stdout.removesuffix("\n").split("\n")]


IN_PAGE = """async (tasks) => {
  const { readEvidence, readFragment } = await import("/v/core/evidence.js");
  const { Unreadable } = await import("/v/core/errors.js");
  const { canonicaliser } = await import("/v/core/rdf.js");
  const { openTrust } = await import("/v/core/trust.js");
  const { verify } = await import("/v/core/verification.js");
  const get = async (name) => (await fetch(`/v/${name}`)).json();
  const jsonld = () => import("/v/vendor/jsonld.js");
  const canonicalise = canonicaliser(jsonld, await get("data/contexts.json"));
  const dictionaries = { 1: await get("data/dictionary-1.json") };
  const trust = await openTrust(new Uint8Array(await (await fetch("/v/trust.json")).arrayBuffer()));
  const bytes = (text) => Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  const answers = [];
  for (const { bytes: file, digits, at } of tasks.map((task) => JSON.parse(task)))
    try {
      const evidence = digits === undefined
        ? await readEvidence(bytes(file), "the file", dictionaries)
        : await readFragment(`1${digits}`, dictionaries);
      answers.push(await verify(evidence, trust, at, canonicalise));
    } catch (error) {
      const name = error instanceof Unreadable ? "unreadable" : "crash";
      answers.push({ [name]: String(error.stack) });
    }
  return answers;
}"""


def in_chromium(trust: Path, tasks: list[Task]) -> list[object]:
    with serving(trust.read_bytes()) as site, chromium() as browser, visiting(browser) as visit:
        visit.open(site.page)
        answers = visit.page.evaluate(IN_PAGE, [task.for_page() for task in tasks])
    return [_said(answer) for answer in answers]


def _said(answer: dict[str, Any]) -> object:
    if "unreadable" in answer:
        return "unreadable"
    assert "crash" not in answer, answer["crash"]
    return answer["verdict"], [
        (one["name"], one["outcome"], one["code"], one["date"], one["caution"], one["unknown"])
        for one in answer["checks"]
    ]
