"""One rule for Ed25519: Python, and the page in Chromium and in Node, by WebCrypto and by its own
library, on every case; and the rule itself, written out in plain integers.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.browser_kit import REPO, chromium, serving, visiting
from tests.ed25519_kit import HOLDS, Case, drawn, edge_cases, taming_the_many_eddsas

IN_CHROMIUM = """async ({ cases, script }) => {
  const { publicKey } = await import("/v/core/ed25519.js");
  const { fromHex } = await import("/v/core/bytes.js");
  let native = 0;
  const { importKey, verify } = crypto.subtle;
  crypto.subtle.importKey = async (...given) => {
    if (script) throw new Error("not here");
    return importKey.apply(crypto.subtle, given);
  };
  crypto.subtle.verify = async (...given) => {
    native++;
    return verify.apply(crypto.subtle, given);
  };
  const answers = [];
  for (const [key, message, signature] of cases)
    try {
      await publicKey(fromHex(key)).verify(fromHex(message), fromHex(signature));
      answers.push(true);
    } catch (error) {
      if (error.constructor.name !== "Fault") throw error;
      answers.push(false);
    }
  return { answers, native };
}"""
PATHS = ("webcrypto", "library")


def in_chromium(cases: Sequence[Case]) -> dict[str, list[bool]]:
    """What the page says in a real browser, by each of its two paths."""
    asked = [one.spelled_out for one in cases]
    said = {}
    with serving(None) as site, chromium() as browser:
        for path in PATHS:
            with visiting(browser) as visit:
                visit.page.goto(f"{site.page}/")
                task = {"cases": asked, "script": path == "library"}
                answer = visit.page.evaluate(IN_CHROMIUM, task)
                assert (answer["native"] > 0) is (path == "webcrypto")
                said[f"Chromium, {path}"] = answer["answers"]
    return said


def in_node(cases: Sequence[Case]) -> dict[str, list[bool]]:
    """What the page's core says in Node, by each of its two paths."""
    if shutil.which("node") is None:
        pytest.skip("Node is not on this machine: scripts/peers installs it")
    said = {}
    for path in PATHS:
        done = subprocess.run(
            ["node", str(REPO / "tests/peers/page_ed25519.mjs"), path],
            input=json.dumps([one.spelled_out for one in cases]),
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        said[f"Node, {path}"] = json.loads(done.stdout)
    return said


def wycheproof(shared_data: Callable[[str], Path]) -> list[Case]:
    groups = json.loads(shared_data("vectors/wycheproof_ed25519.json").read_bytes())["testGroups"]
    return [
        Case(
            f"wycheproof {test['tcId']}, {test['result']}",
            bytes.fromhex(group["publicKey"]["pk"]),
            bytes.fromhex(test["msg"]),
            bytes.fromhex(test["sig"]),
        )
        for group in groups
        for test in group["tests"]
    ]


def disagreements(cases: Sequence[Case]) -> list[str]:
    """Who says something else than the product in Python, and where."""
    product = [one.by_product() for one in cases]
    return [
        f"{who} says {not ours}: {one.name}"
        for who, said in (in_chromium(cases) | in_node(cases)).items()
        for one, theirs, ours in zip(cases, said, product, strict=True)
        if theirs is not ours
    ]


def test_the_page_and_python_agree(shared_data: Callable[[str], Path]) -> None:
    edges, vectors = list(edge_cases()), wycheproof(shared_data)
    assert disagreements([*edges, *vectors]) == []
    assert [one.name for one in edges if one.by_product()] == ["good, made by hand"]
    assert len(edges) > 600
    valid = [one for one in vectors if one.name.endswith(", valid")]
    assert [one for one in vectors if one.by_product()] == valid
    assert len(valid) > 80


def test_they_agree_on_whatever_chance_makes() -> None:
    cases = list(drawn(1, 400))
    assert disagreements(cases) == []
    good = sum(one.by_product() for one in cases)
    assert 100 < good < 300
    assert any(one.by_openssl() is not one.by_product() for one in cases)


@pytest.mark.slow
def test_they_agree_on_thousands_more() -> None:
    for seed in range(2, 22):
        assert disagreements(list(drawn(seed, 1000))) == []


def test_python_keeps_the_rule_as_written_out(shared_data: Callable[[str], Path]) -> None:
    cases = [*edge_cases(), *drawn(99, 200), *wycheproof(shared_data)]
    assert [one.name for one in cases if one.by_product() is not one.by_rule()] == []


def test_the_twelve_kinds_are_what_their_names_say() -> None:
    """All are refused; OpenSSL takes those whose equation holds with no cofactor and S below L."""
    twelve = list(taming_the_many_eddsas())
    assert [one.name.partition(":")[0] for one in twelve] == [str(kind) for kind in range(12)]
    assert [one.name for one in twelve if one.by_product()] == []
    taken = [one.name.partition(":")[0] for one in twelve if one.by_openssl()]
    assert taken == ["0", "1", "2", "3", "11"]


def test_openssl_would_be_fooled() -> None:
    """The control: these cases tell one rule from another."""
    fooled = [one.name for one in edge_cases() if one.by_openssl() and not one.by_product()]
    assert any(name.startswith("forged under key") for name in fooled)
    assert any(name.endswith(HOLDS) for name in fooled)


def test_webcrypto_alone_would_be_fooled() -> None:
    """The control: without our own look at the points, the browser takes a small-order key."""
    cases = [one for one in edge_cases() if one.name.startswith("forged under key")]
    fooled = """async (cases) => {
      const bytes = (hex) => Uint8Array.from(hex.match(/../g), (pair) => parseInt(pair, 16));
      let taken = 0;
      for (const [key, message, signature] of cases)
        try {
          const usages = ["verify"];
          const read = await crypto.subtle.importKey("raw", bytes(key), "Ed25519", false, usages);
          taken += await crypto.subtle.verify("Ed25519", read, bytes(signature), bytes(message));
        } catch {}
      return taken;
    }"""
    with serving(None) as site, chromium() as browser, visiting(browser) as visit:
        visit.page.goto(f"{site.page}/")
        asked = [one.spelled_out for one in cases]
        assert visit.page.evaluate(fooled, asked) > 0
