"""The verifier page's core gives what the vectors say, as Python does."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from credentials.rdf import context, known_contexts
from keys import PrivateKey
from ledger import Checkpoint, VerifierKey, sign_note
from ledger.cosignature import Ed25519Cosigner, MLDSA44Cosigner, cosign_all
from ledger.note import ED25519
from tests.vectors.test_jcs import NUMBERS

HERE = Path(__file__).parent


def in_page(*tasks: dict[str, Any]) -> list[dict[str, Any]]:
    """The answers of the page's core, in Node."""
    if shutil.which("node") is None:
        pytest.skip("Node is not on this machine: scripts/peers installs it")
    script = HERE.parent / "peers" / "page_vectors.mjs"
    done = subprocess.run(
        ["node", str(script)],
        input="\n".join(json.dumps(task) for task in tasks),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answers = [json.loads(line) for line in done.stdout.removesuffix("\n").split("\n")]
    assert len(answers) == len(tasks)
    return answers


def vectors(name: str) -> Any:
    return json.loads((HERE / f"{name}.json").read_text("utf-8"))


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def test_jcs(shared_data: Callable[[str], Path]) -> None:
    folder = shared_data("vectors/jcs")
    names = sorted(path.name for path in (folder / "input").iterdir())
    wanted = [(folder / "output" / name).read_bytes() for name in names]
    read = [(folder / "input" / name).read_bytes() for name in names]
    answers = in_page(*({"operation": "jcs", "text": b64(data)} for data in read))
    assert [one["answer"].encode() for one in answers] == wanted
    answers = in_page(*({"operation": "exact", "text": b64(data)} for data in wanted))
    assert [one["answer"].encode() for one in answers] == wanted
    numbers = in_page(*({"operation": "number", "bits": bits} for bits, _ in NUMBERS))
    assert [one["answer"] for one in numbers] == [text for _, text in NUMBERS]


BAD_JSON = (
    *(b'{"a":1,"a":2}', b"[1,]", b"{'a':1}", b'"\\ud800"', b"9007199254740993", b"01", b"1e999"),
    *(b"NaN", b'"\x01"', b"[" * 65 + b"]" * 65, b"\xef\xbb\xbf1", b"1 2", b'"\\x"', b"-", b""),
)


def test_json_that_is_refused() -> None:
    answers = in_page(*({"operation": "jcs", "text": b64(data)} for data in BAD_JSON))
    assert [data for data, one in zip(BAD_JSON, answers, strict=True) if "refused" not in one] == []
    good = b"[" * 64 + b"]" * 64
    (answer,) = in_page({"operation": "jcs", "text": b64(good)})
    assert answer == {"answer": good.decode()}
    (answer,) = in_page({"operation": "exact", "text": b64(b'{"b":1,"a":2}')})
    assert "canonical" in answer["refused"]


def test_rdf() -> None:
    contexts = {url: context(url) for url in known_contexts()}
    found = vectors("rdf-canonical-1")["vectors"]
    tasks = [
        {"operation": "rdf", "document": one["document"], "contexts": contexts} for one in found
    ]
    for one, answer in zip(found, in_page(*tasks), strict=True):
        assert answer.get("answer") == one["nquads"], one["name"]


def test_data_integrity_examples_of_the_recommendation() -> None:
    found = vectors("di-eddsa")
    contexts = {url: context(url) for url in known_contexts()} | found["contexts"]
    documents = [example["signed"] for example in found["examples"]]
    both = found["proofSet"]["signed"]
    documents += [both, {**both, "proof": [*both["proof"], found["chainedProof"]["proof"]]}]
    tasks = [{"operation": "proofs", "document": one, "contexts": contexts} for one in documents]
    for answer in in_page(*tasks):
        assert answer["answer"]
        assert {(one["understood"], one["error"]) for one in answer["answer"]} == {(True, None)}
    broken = json.loads(json.dumps(documents[0]).replace("Alumni Credential", "Alumna Credential"))
    (answer,) = in_page({"operation": "proofs", "document": broken, "contexts": contexts})
    assert answer["answer"][0]["error"] == "the Ed25519 signature does not match"


def test_qr_format_1() -> None:
    found = vectors("qr-format-1")["vectors"]
    answers = in_page(*({"operation": "qr", "digits": one["digits"]} for one in found))
    for one, answer in zip(found, answers, strict=True):
        assert answer["answer"] == {"credential": one["credential"], "receipt": one.get("receipt")}


def test_inclusion_proofs(shared_data: Callable[[str], Path]) -> None:
    """Good ones and damaged ones; each file says what is wrong."""
    cases = [
        json.loads(path.read_text("utf-8"))
        for path in sorted(shared_data("vectors/merkle/inclusion").rglob("*.json"))
    ]
    usable = [one for one in cases if one["leafIdx"] < 2**53 and one["treeSize"] < 2**53]
    assert len(usable) > 50
    tasks = [
        {
            "operation": "inclusion",
            "leaf": one["leafHash"] or "",
            "index": one["leafIdx"],
            "size": one["treeSize"],
            "path": one["proof"] or [],
        }
        for one in usable
    ]
    for one, answer in zip(usable, in_page(*tasks), strict=True):
        good = answer.get("answer") == one["root"] and len(base64.b64decode(one["leafHash"])) == 32
        assert good is not one["wantErr"], one["desc"]


def test_notes_signed_in_every_way() -> None:
    signer = PrivateKey.from_seed(b"\1" * 32)
    name, text = "log.example/x", Checkpoint("log.example/x", 7, b"\2" * 32).text
    cosigners = (
        Ed25519Cosigner("w1.example", PrivateKey.from_seed(b"\3" * 32)),
        MLDSA44Cosigner("w2.example", b"\4" * 32),
    )
    note = sign_note(text, name, signer) + cosign_all(cosigners, text, 1_795_000_000)
    keys = [
        str(VerifierKey(name, ED25519, signer.public_key.raw)),
        *(str(one.key) for one in cosigners),
    ]
    task = {"operation": "note", "note": note, "keys": keys}
    whole, fewer, *changed = in_page(
        task,
        {**task, "keys": keys[:1]},
        *({**task, "note": change} for change in broken(note)),
    )
    times = [[name, None], ["w1.example", 1_795_000_000], ["w2.example", 1_795_000_000]]
    assert whole["answer"] == {"signatures": times, "unknown": []}
    assert fewer["answer"] == {"signatures": times[:1], "unknown": ["w1.example", "w2.example"]}
    assert ["refused" in one for one in changed] == [True] * 5


def broken(note: str) -> list[str]:
    """One with another text, one with each signature changed, one signed twice."""
    lines = note.split("\n")
    made = [note.replace("\n7\n", "\n8\n")]
    for place in (-4, -3, -2):
        line = lines[place]
        middle = len(line) - 20
        other = "A" if line[middle] != "A" else "B"
        changed = line[:middle] + other + line[middle + 1 :]
        made.append("\n".join([*lines[:place], changed, *lines[place + 1 :]]))
    return [*made, note + lines[-4] + "\n"]
