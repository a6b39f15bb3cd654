"""The verifier page and Python say the same of every file and QR code, good or changed.

The page's own core runs in Node, and once more in Chromium with what that brings of its own: its
Ed25519, its inflate, its GB 18030.
"""

from __future__ import annotations

import base64
import binascii
import copy
import json
import random
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from credentials.qr import to_digits
from credentials.qr.digits import bytes_to_digits, digits_to_bytes
from credentials.qr.landmark import landmark_receipt
from keys import Json, PrivateKey, encode, open_signer
from ledger import Checkpoint, Receipt, inclusion_proof, leaf_hash, root_hash, sign_note
from tests.bank_kit import result, small_bank
from tests.page_core_kit import Runner, Task, in_chromium, in_node
from verifier import open_trust
from verifier.sentences import LANGUAGES, sentence

Change = Callable[[dict[str, Any], random.Random], None]


@pytest.fixture(params=["node", "chromium"])
def by_page(request: pytest.FixtureRequest, repo: Path) -> Runner:
    """What the page says of tasks, given a trust bundle."""
    return partial(in_node, repo) if request.param == "node" else in_chromium


def subject_of(bundle: dict[str, Any]) -> dict[str, Any]:
    subject: dict[str, Any] = bundle["credential"]["credentialSubject"]
    return subject


def proof_of(bundle: dict[str, Any], suite: str) -> dict[str, Any]:
    (found,) = [one for one in bundle["credential"]["proof"] if one["cryptosuite"] == suite]
    return found  # type: ignore[no-any-return]


def receipt_line(number: int, change: Callable[[str], str]) -> Change:
    """A change of one line of the receipt, counted from its start, or its end if negative."""

    def apply(bundle: dict[str, Any], _dice: random.Random) -> None:
        lines = bundle["receipt"].split("\n")
        lines[number] = change(lines[number])
        bundle["receipt"] = "\n".join(lines)

    return apply


def put(*path: str, value: object) -> Change:
    def apply(bundle: dict[str, Any], _dice: random.Random) -> None:
        for name in path[:-1]:
            bundle = bundle[name]
        bundle[path[-1]] = value

    return apply


def drop(*path: str) -> Change:
    def apply(bundle: dict[str, Any], _dice: random.Random) -> None:
        for name in path[:-1]:
            bundle = bundle[name]
        bundle.pop(path[-1], None)

    return apply


def by_other_key(bundle: dict[str, Any], dice: random.Random) -> None:
    """A proof of another key in the member's name, made as it should be."""
    from credentials import sign

    signer = PrivateKey.from_seed(dice.randbytes(32))
    document = {k: v for k, v in bundle["credential"].items() if k != "proof"}
    method = f"{document['issuer']['id']}#{signer.public_key.multikey}"
    bundle["credential"] = sign(document, signer, method, "2026-11-20T08:00:00Z")


def only(suite: str) -> Change:
    def apply(bundle: dict[str, Any], _dice: random.Random) -> None:
        bundle["credential"]["proof"] = proof_of(bundle, suite)

    return apply


def broken_proof(suite: str) -> Change:
    def apply(bundle: dict[str, Any], _dice: random.Random) -> None:
        value = proof_of(bundle, suite)["proofValue"]
        proof_of(bundle, suite)["proofValue"] = (
            value[:9] + ("2" if value[9] != "2" else "3") + value[10:]
        )

    return apply


def proof_option(suite: str, **options: Json) -> Change:
    def apply(bundle: dict[str, Any], _dice: random.Random) -> None:
        proof_of(bundle, suite).update(options)

    return apply


def respelled(change: Callable[[str], str]) -> Change:
    """The same credential without its JCS proof, written otherwise; RDF may not see it."""

    def apply(bundle: dict[str, Any], dice: random.Random) -> None:
        only("eddsa-rdfc-2022")(bundle, dice)
        bundle["credential"] = json.loads(change(json.dumps(bundle["credential"])))

    return apply


SPACES_OR_NOT = "\u0085\u00a0\u1680\u180e\u200b\u2028\u202e\u202f\u205f\u2060\u3000\ufeff\U000e0020"


def named_with(line: str, char: str) -> str:
    """The line, and after it one by a stranger whose name has `char`: a space or none?"""
    return f"{line}\n— stranger{char}example {base64.b64encode(bytes(68)).decode()}"


CHANGES: dict[str, Change] = {
    "nothing": lambda bundle, dice: None,
    "learner": lambda bundle, dice: subject_of(bundle)["identifier"][0].update(identityHash="李四"),
    "hidden character": lambda b, d: subject_of(b)["identifier"][0].update(identityHash="a\u202eb"),
    "credits": lambda bundle, dice: subject_of(bundle).update(creditsEarned=60),
    "credits as text": lambda bundle, dice: subject_of(bundle).update(creditsEarned="3"),
    "negative credits": lambda bundle, dice: subject_of(bundle).update(creditsEarned=-1),
    "title": lambda bundle, dice: subject_of(bundle)["achievement"].update(name="Doctor"),
    "field": lambda bundle, dice: subject_of(bundle)["achievement"].update(fieldOfStudy="law"),
    "no achievement": drop("credential", "credentialSubject", "achievement"),
    "issuer name": put("credential", "issuer", "name", value="Harvard University"),
    "issuer": put("credential", "issuer", "id", value="did:web:example.com:members:other"),
    "issuer as text": put("credential", "issuer", value="did:web:example.com"),
    "relative id": put("credential", "id", value="somewhere"),
    "a context more": lambda b, d: b["credential"]["@context"].append("https://w3id.org/x/v1"),
    "a known context more": lambda b, d: b["credential"]["@context"].append(
        "https://w3id.org/security/data-integrity/v2"
    ),
    "contexts swapped": lambda b, d: b["credential"]["@context"].reverse(),
    "one context": put("credential", "@context", value="https://www.w3.org/ns/credentials/v2"),
    "a type more": lambda b, d: b["credential"]["type"].append("Diploma"),
    "a field more": put("credential", "evidence", value="mine"),
    "null validUntil": put("credential", "validUntil", value=None),
    "validUntil": put("credential", "validUntil", value="2099-01-01T00:00:00Z"),
    "validFrom without zone": put("credential", "validFrom", value="2022-07-08T00:00:00"),
    "validFrom at the end of time": put(
        "credential", "validFrom", value="9999-12-31T23:59:59-10:00"
    ),
    "leap second": put("credential", "validFrom", value="2016-12-31T23:59:60Z"),
    "30 February": put("credential", "validFrom", value="2022-02-30T00:00:00Z"),
    "status slot": put("credential", "credentialStatus", "statusListIndex", value="7"),
    "no status": drop("credential", "credentialStatus"),
    "status of another kind": put("credential", "credentialStatus", "type", value="Other"),
    "no proof": drop("credential", "proof"),
    "no proofs": put("credential", "proof", value=[]),
    "a proof that is no object": lambda b, d: b["credential"]["proof"].append("proof"),
    "nine proofs": lambda b, d: b["credential"].update(proof=b["credential"]["proof"] * 5),
    "an unknown proof more": lambda b, d: b["credential"]["proof"].append(
        {"type": "DataIntegrityProof", "cryptosuite": "bbs-2023"}
    ),
    "a proof of no kind": lambda b, d: b["credential"]["proof"].append({}),
    "an unknown proof only": put(
        "credential", "proof", value={"type": "DataIntegrityProof", "cryptosuite": "bbs-2023"}
    ),
    "an ecdsa proof more": lambda b, d: b["credential"]["proof"].append(
        {**proof_of(b, "eddsa-jcs-2022"), "cryptosuite": "ecdsa-jcs-2019"}
    ),
    "another key's proofs": by_other_key,
    "jcs only": only("eddsa-jcs-2022"),
    "rdfc only": only("eddsa-rdfc-2022"),
    "jcs broken": broken_proof("eddsa-jcs-2022"),
    "rdfc broken": broken_proof("eddsa-rdfc-2022"),
    "jcs named rdfc": proof_option("eddsa-jcs-2022", cryptosuite="eddsa-rdfc-2022"),
    "rdfc with a nonce": proof_option("eddsa-rdfc-2022", nonce="x"),
    "rdfc with a number for a nonce": proof_option("eddsa-rdfc-2022", nonce=1),
    "rdfc that expires": proof_option("eddsa-rdfc-2022", expires="2099-01-01T00:00:00Z"),
    "rdfc for authentication": proof_option("eddsa-rdfc-2022", proofPurpose="authentication"),
    "rdfc with a field more": proof_option("eddsa-rdfc-2022", jws="x"),
    "rdfc with its own context": proof_option(
        "eddsa-rdfc-2022", **{"@context": "https://x.example"}
    ),
    "rdfc built on nothing": proof_option("eddsa-rdfc-2022", previousProof="urn:uuid:none"),
    "rdfc of 2020": lambda b, d: (
        proof_of(b, "eddsa-rdfc-2022").update(type="Ed25519Signature2020"),
        proof_of(b, "eddsa-rdfc-2022").pop("cryptosuite"),
        None,
    )[-1],
    "jcs created otherwise": proof_option("eddsa-jcs-2022", created="2026-11-01T00:00:00Z"),
    "jcs created never": proof_option("eddsa-jcs-2022", created="yesterday"),
    "rdfc, a null added": respelled(lambda text: text[:-1] + ', "name2": null}'),
    "rdfc, an empty list": respelled(lambda text: text.replace('"hashed"', '"salt": [], "hashed"')),
    "rdfc, a type not in a list": respelled(lambda text: text.replace('["Profile"]', '"Profile"')),
    "rdfc, a name in a list": respelled(
        lambda text: text.replace('"identityHash": "', '"identityHash": ["').replace(
            '", "identityType"', '"], "identityType"'
        )
    ),
    "rdfc, a member named __proto__": respelled(
        lambda text: text.replace('"hashed"', '"__proto__": "x", "hashed"')
    ),
    "rdfc, a member named constructor": respelled(
        lambda text: text.replace('"hashed"', '"constructor": "x", "hashed"')
    ),
    "rdfc, index": respelled(lambda text: text.replace('"hashed"', '"@index": "x", "hashed"')),
    "rdfc, credits as 2.50": respelled(lambda text: text.replace('d": 2.5', 'd": 2.50')),
    "receipt gone": put("receipt", value=""),
    "receipt of another form": put("receipt", value="c2sp.org/tlog-proof@v2\n"),
    "receipt null": put("receipt", value=None),
    "receipt: its entry's bytes": receipt_line(1, lambda line: line[:-8] + "AAAA" + line[-4:]),
    "receipt: its index": receipt_line(2, lambda line: "index 9"),
    "receipt: its index, padded": receipt_line(2, lambda line: line.replace(" ", " 0")),
    "receipt: a node": receipt_line(3, lambda line: "A" * 43 + "="),
    "receipt: a node short": receipt_line(3, lambda line: "AAAA"),
    "receipt: a node gone": receipt_line(3, lambda line: line + "\n" + "A" * 43 + "="),
    "receipt: the log's line": receipt_line(-2, lambda line: line[:-12] + "AAAAAAAAAAA="),
    "receipt: a line by a stranger": receipt_line(
        -2, lambda line: line + "\n— stranger.example " + base64.b64encode(bytes(68)).decode()
    ),
    **{
        f"receipt: a stranger with U+{ord(char):04X}": receipt_line(
            -2, partial(named_with, char=char)
        )
        for char in SPACES_OR_NOT
    },
    "receipt: a line twice": receipt_line(-2, lambda line: f"{line}\n{line}"),
    "receipt: no witness": lambda b, d: b.update(
        receipt="".join(
            line for line in b["receipt"].splitlines(keepends=True) if "witness" not in line
        )
    ),
    "a field more in the bundle": put("note", value="x"),
    "credential as text": put("credential", value="x"),
}


def good_bundle(story: Any) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(story.bundle.read_bytes())
    return value


def bundles(story: Any, at: datetime) -> Iterator[Task]:
    """Every change above, and bytes changed at random."""
    dice = random.Random(20261124)
    for name, change in CHANGES.items():
        value = copy.deepcopy(good_bundle(story))
        change(value, dice)
        yield Task(f"bundle: {name}", at, encode(value))
        if "credential" in value and isinstance(value["credential"], dict):
            loose = json.dumps(value["credential"], ensure_ascii=False, indent=1).encode()
            yield Task(f"credential: {name}", at, loose)
    exact = story.bundle.read_bytes()
    for _ in range(60):
        data, place = bytearray(exact), dice.randrange(len(exact))
        data[place] ^= 1 << dice.randrange(8)
        yield Task(f"bundle with bit {place} flipped", at, bytes(data))
    for days in (-800, -8, 3, 8, 29, 31, 4000):
        yield Task(f"bundle after {days} days", at + timedelta(days=days), exact)
    for text in (
        b"",
        b"{}",
        b"[1]",
        b'{"credentialSubject":1,"credentialSubject":2}',
        b"\xff",
        b"1e999",
    ):
        yield Task(f"file {text!r}", at, text)
    for suffix in ("certificate.pdf", "badge.png"):
        yield Task(suffix, at, story.bundle.with_name(f"learner.{suffix}").read_bytes())


def codes(story: Any, at: datetime) -> Iterator[Task]:
    """QR codes of each kind; digits changed at random, raw bytes with the check value set right."""
    dice = random.Random(20261125)
    value = good_bundle(story)
    credential, full = value["credential"], value["receipt"]
    landmark = landmark_receipt(full)
    assert landmark is not None
    wrong = landmark.replace("index 24\n", "index 280\n")
    nodes = landmark.split("\n")
    nodes[5] = base64.b64encode(bytes(32)).decode()
    receipts = {
        "none": None,
        "full": full,
        "landmark": landmark,
        "landmark of a later entry": wrong,
        "landmark with another node": "\n".join(nodes),
        "landmark of another log": landmark.replace("origin chongqing", "origin chengdu"),
    }
    for name, receipt in receipts.items():
        digits = to_digits(credential, receipt)
        yield Task(f"QR, receipt {name}", at, digits=digits)
        for _ in range(12):
            place = dice.randrange(len(digits))
            other = str((int(digits[place]) + dice.randint(1, 9)) % 10)
            changed = digits[:place] + other + digits[place + 1 :]
            yield Task(f"QR {name}, digit {place}", at, digits=changed)
        for _ in range(25):
            data = bytearray(digits_to_bytes(digits)[:-2])
            place = dice.randrange(len(data))
            data[place] ^= 1 << dice.randrange(8)
            sealed = bytes(data) + binascii.crc_hqx(bytes(data), 0).to_bytes(2, "big")
            yield Task(f"QR {name}, byte {place}", at, digits=bytes_to_digits(sealed))
        yield Task(f"QR {name}, cut", at, digits=digits[:-5])


def differences(tasks: list[Task], trust: Path, by_page: Runner) -> tuple[list[str], Counter[str]]:
    opened = open_trust(trust.read_bytes())
    said = by_page(trust, tasks)
    assert len(said) == len(tasks)
    counts: Counter[str] = Counter()
    wrong = []
    for task, page in zip(tasks, said, strict=True):
        python = task.by_python(opened)
        counts[python[0] if isinstance(python, tuple) else str(python)] += 1
        if page != python:
            wrong.append(f"{task.name}\n  page   {page}\n  python {python}")
    return wrong, counts


def test_bundles(story: Any, by_page: Runner) -> None:
    at = datetime.now(UTC).replace(microsecond=0)
    tasks = list(bundles(story, at))
    wrong, counts = differences(tasks, story.trust, by_page)
    print(f"\n{len(tasks)} files: {dict(counts)}")
    assert not wrong, "\n".join(wrong)
    assert len(tasks) > 200
    assert min(counts[v] for v in ("verified", "not verified", "cannot tell", "unreadable")) > 1


def test_qr_codes(story: Any, by_page: Runner) -> None:
    at = datetime.now(UTC).replace(microsecond=0)
    tasks = list(codes(story, at))
    wrong, counts = differences(tasks, story.trust, by_page)
    print(f"\n{len(tasks)} QR codes: {dict(counts)}")
    assert not wrong, "\n".join(wrong)
    assert len(tasks) > 200
    assert min(counts[v] for v in ("verified", "not verified", "unreadable")) > 1


def test_every_kind_of_entry(tmp_path: Path, by_page: Runner) -> None:
    """Awards, prior learning, corrections, conversions and qualifications; each with another's."""
    with small_bank(tmp_path / "bank") as small:
        made = {name: small.bundle(*pair) for name, pair in small.every_kind().items()}
        trust = tmp_path / "trust.json"
        trust.write_bytes(small.bank.trust.export([small.governance]))
        at = small.bank.now().replace(microsecond=0)
    tasks = [Task(name, at, encode(bundle)) for name, bundle in made.items()]
    dice = random.Random(6)
    for name, bundle in made.items():
        for other, its in made.items():
            mixed = {**bundle, "receipt": its["receipt"]}
            tasks.append(Task(f"{name} with the receipt of {other}", at, encode(mixed)))
        for change in ("credits", "title", "field", "validUntil", "status slot", "jcs only"):
            value = copy.deepcopy(bundle)
            CHANGES[change](value, dice)
            tasks.append(Task(f"{name}: {change}", at, encode(value)))
        digits = to_digits(bundle["credential"], bundle["receipt"])
        tasks.append(Task(f"{name} as QR", at, digits=digits))
    wrong, counts = differences(tasks, trust, by_page)
    print(f"\n{len(tasks)} files: {dict(counts)}")
    assert not wrong, "\n".join(wrong)
    assert counts["verified"] >= 3 * len(made) - 1  # alone, with its own receipt again, as QR
    assert counts["not verified"] > 20


def test_receipts_of_another_history(tmp_path: Path, by_page: Runner) -> None:
    """The log's own key signs trees that go on from another entry, of many sizes."""
    with small_bank(tmp_path / "bank") as small:
        log = small.bank.log
        made = [small.bundle(*pair) for pair in small.every_kind().values()]
        while log.size() < 270:
            small.award(f"li-{log.size()}")
        offered = small.offer(small.north, result("zhao-1"))
        assert offered.credential is not None
        made.append(small.bundle(offered.credential, small.submit(offered)))
        trust = tmp_path / "trust.json"
        trust.write_bytes(small.bank.trust.export([small.governance]))
        entries, at = list(log.entries()), small.bank.now().replace(microsecond=0)
        key = open_signer(f"file:{small.bank.settings.keystore('log')}", "p")
    origin = open_trust(trust.read_bytes()).origin
    leaves = [leaf_hash(data) for data in entries]
    tasks = []
    for bundle in made:
        index = Receipt.parse(bundle["receipt"]).index
        for changed in (None, index - 1, index + 1, len(entries) - 2):
            for size in (index + 1, 64, 256, len(entries) - 1, len(entries), 300, 1000):
                tree = [*leaves, *(leaf_hash(b"%d" % n) for n in range(1000))][:size]
                if not index < size or (changed is not None and changed >= size):
                    continue
                if changed is not None:
                    tree[changed] = bytes(32)
                text = Checkpoint(origin, size, root_hash(tree)).text
                path = inclusion_proof(index, size, lambda lo, hi: root_hash(tree[lo:hi]))  # noqa: B023
                receipt = Receipt(entries[index], index, tuple(path), sign_note(text, origin, key))
                forged = {**bundle, "receipt": receipt.encode()}
                tasks.append(Task(f"{index} of {size}, not {changed}", at, encode(forged)))
    wrong, counts = differences(tasks, trust, by_page)
    print(f"\n{len(tasks)} files: {dict(counts)}")
    assert not wrong, "\n".join(wrong)
    assert counts["verified"] > 20
    assert counts["not verified"] > 20


def test_a_difference_would_be_seen(story: Any, by_page: Runner) -> None:
    at = datetime.now(UTC).replace(microsecond=0)
    good = Task("good", at, story.bundle.read_bytes())
    changed = Task("good", at, story.bundle.read_bytes()[:-9] + b"x" * 9)
    (said,) = by_page(story.trust, [good])
    opened = open_trust(story.trust.read_bytes())
    assert said == good.by_python(opened)
    assert said != changed.by_python(opened)
    assert said != Task("later", at + timedelta(days=40), good.file).by_python(opened)


def test_nothing_in_a_file_turns_the_text_around_it(repo: Path) -> None:
    """What the page says of a stranger's names is shown with care, as Python shows it."""
    if shutil.which("node") is None:
        pytest.skip("Node is not on this machine: scripts/peers installs it")
    script = """
import { readFileSync } from "node:fs";
import { sentence } from "./verifier/web/core/report.js";
const words = JSON.parse(readFileSync("verifier/sentences.json", "utf8"));
const { code, values, language } = JSON.parse(process.argv[1]);
process.stdout.write(sentence(words, { code, values }, language));
"""
    values = {"reason": "by \u202eyna\u009b2J\u001b[2J $& \ufeff王"}
    for language in LANGUAGES:
        asked = json.dumps({"code": "ledger.bad", "values": values, "language": language})
        done = subprocess.run(
            ["node", "--input-type=module", "-e", script, asked],
            cwd=repo,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        assert done.stdout == sentence("ledger.bad", language, values)
        assert "by ⟨U+202E⟩yna⟨U+009B⟩2J⟨U+001B⟩[2J $& ⟨U+FEFF⟩王" in done.stdout
