"""What becomes of every changed byte: exactly where a report may still say less than `failed`."""

import json
import random
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from credentials.qr import parse_url, qr_url, scan
from verifier import Report, Trust, VerifierError, open_trust, read_evidence, verify

PROOF_KIND = re.compile(rb'"(?:cryptosuite|type)":"(?:eddsa-[a-z]+-2022|DataIntegrityProof)"')
SIGNATURE_LINE = re.compile("— [^ ]+ [A-Za-z0-9+/=]+".encode() + rb"\\n")


def look(data: bytes, trust: Trust, at: datetime) -> Report | None:
    """The report, or None for what cannot be read (exit code 2)."""
    try:
        return verify(read_evidence(data, "the file"), trust, at)
    except VerifierError:
        return None


def code(report: Report | None) -> int:
    return 2 if report is None else report.exit_code


def with_byte(data: bytes, place: int, byte: int) -> bytes:
    return data[:place] + bytes([byte]) + data[place + 1 :]


def inside(spans: list[tuple[int, int]], place: int) -> bool:
    return any(start <= place < end for start, end in spans)


def cautions(report: Report) -> set[str]:
    return {check.code for check in report.checks if check.caution}


def pack(value: Any) -> bytes:
    """JSON as JCS writes it, where the names are ASCII."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return text.encode()


@pytest.fixture(scope="module")
def trust(story: Any) -> Trust:
    return open_trust(story.trust.read_bytes())


@pytest.fixture(scope="module")
def at(trust: Trust) -> datetime:
    """The bundle's own time, however long the tests take."""
    return trust.issued


def test_a_bundle_with_a_changed_bit_is_verified_nowhere(
    story: Any, trust: Trust, at: datetime
) -> None:
    """In part only where a proof's kind or a signer's name is no longer known, and it says so."""
    good = story.bundle.read_bytes()
    assert code(look(good, trust, at)) == 0
    kinds = [match.span() for match in PROOF_KIND.finditer(good)]
    lines = [match.span() for match in SIGNATURE_LINE.finditer(good)]
    assert (len(kinds), len(lines)) == (4, 6)  # two proofs; three signers with two keys each
    for place in range(len(good)):
        changed = with_byte(good, place, good[place] ^ (2 << place % 4))
        report = look(changed, trust, at)
        assert code(report) != 0, place
        if report is None or report.exit_code != 3:
            continue
        open_points = cautions(report)
        if inside(kinds, place):
            assert "signature.partly" in open_points, place
        else:
            assert inside(lines, place), place
            assert "ledger.unknown-signer" in open_points, place


def test_a_bare_credential_with_a_changed_bit(story: Any, trust: Trust, at: datetime) -> None:
    """Untouched it gives 3. Changed it gives 1 or 2, but for the kind of one of its two proofs."""
    good = (story.out / "learner.credential.json").read_bytes()
    untouched = look(good, trust, at)
    assert untouched is not None
    assert cautions(untouched) == {"ledger.none"}
    kinds = [match.span() for match in PROOF_KIND.finditer(good)]
    spared = set()
    for place in range(len(good)):
        for bit in (1, 2 << place % 7):
            report = look(with_byte(good, place, good[place] ^ bit), trust, at)
            assert code(report) != 0
            if report is not None and report.exit_code == 3:
                assert cautions(report) == {"ledger.none", "signature.partly"}
                spared.add(place)
    assert all(inside(kinds, place) for place in spared)
    assert len(spared) > 40


def test_white_space_is_no_change_to_a_bare_credential_but_is_to_a_bundle(
    story: Any, trust: Trust, at: datetime
) -> None:
    """What is signed is the JSON's canonical form; a bundle comes in exactly that form."""
    for name, expected in (("learner.credential.json", 3), ("learner.bundle.json", 2)):
        value = json.loads((story.out / name).read_bytes())
        for other in (
            json.dumps(value, indent=2, ensure_ascii=False).encode(),
            json.dumps(value).encode(),
            json.dumps(dict(reversed(value.items())), separators=(",", ":")).encode(),
            pack(value) + b" ",
        ):
            assert code(look(other, trust, at)) == expected


def mutations(good: bytes, dice: random.Random) -> Iterator[bytes]:
    """Bytes dropped, doubled, swapped, and runs of them moved or cut out."""
    while True:
        place = dice.randrange(len(good) - 1)
        end = min(len(good), place + dice.choice((1, 2, 3, 8, 64, 512)))
        other = dice.randrange(len(good))
        yield good[:place] + good[end:]
        yield good[:end] + good[place:]
        yield good[:place] + good[place:end][::-1] + good[end:]
        yield good[:other] + good[place:end] + good[other:]
        yield good[:place] + bytes(end - place) + good[end:]


@pytest.mark.parametrize("name", ["learner.bundle.json", "learner.credential.json"])
def test_pieces_dropped_doubled_and_moved(
    story: Any, trust: Trust, at: datetime, name: str
) -> None:
    good = (story.out / name).read_bytes()
    dice = random.Random(20261123)
    for _, changed in zip(range(1500), mutations(good, dice), strict=False):
        report = look(changed, trust, at)
        if changed == good or report is None:
            continue
        # A piece of a proof's kind may be lost, as above; nothing else may.
        assert report.exit_code == 1 or (
            report.exit_code == 3 and cautions(report) - {"ledger.none"}
        ), changed


def test_every_digit_of_a_qr_code_has_to_be_right(story: Any, trust: Trust, at: datetime) -> None:
    url = scan((story.out / "learner.qr.png").read_bytes())
    domain, digits = parse_url(url)
    assert qr_url(domain, digits) == url
    assert code(look(url.encode(), trust, at)) == 0
    for place, digit in enumerate(digits):
        for step in (1, 5):
            other = digits[:place] + str((int(digit) + step) % 10) + digits[place + 1 :]
            assert code(look(qr_url(domain, other).encode(), trust, at)) in (1, 2), place
    for length in range(0, len(digits), 7):
        assert code(look(qr_url(domain, digits[:length]).encode(), trust, at)) in (1, 2)


def test_every_byte_of_a_trust_bundle(story: Any) -> None:
    good = story.trust.read_bytes()
    assert open_trust(good).version == 1
    for place in range(len(good)):
        with pytest.raises(VerifierError):
            open_trust(with_byte(good, place, good[place] ^ (1 << place % 8)))
    for changed in (good + b"\n", good[1:], b" " + good, good[:-1], good.replace(b":", b": ", 1)):
        with pytest.raises(VerifierError):
            open_trust(changed)


def test_a_trust_bundle_says_nothing_twice(story: Any) -> None:
    """Two signatures by one governor are one; a threshold of two takes two."""
    value = json.loads(story.trust.read_bytes())
    first, _ = value["signatures"]
    assert open_trust(pack(value)).version == 1
    for signatures in ([first, first], [first], []):
        with pytest.raises(VerifierError, match="it takes 2"):
            open_trust(pack({**value, "signatures": signatures}))
    for signatures in ({}, None, "x", [7]):
        with pytest.raises(VerifierError):
            open_trust(pack({**value, "signatures": signatures}))
