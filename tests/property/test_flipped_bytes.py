"""One changed byte anywhere in what a learner shows is never verified."""

import base64
from datetime import UTC, datetime
from typing import Any

import pytest

from credentials.baking import bake_png
from credentials.certificate import certificate_facts, certificate_pdf
from credentials.qr import parse_url, qr_url, scan
from verifier import Trust, VerifierError, open_trust, read_evidence, read_qr_url, verify


def exit_code(data: bytes, trust: Trust) -> int:
    try:
        return verify(read_evidence(data, "the file"), trust, datetime.now(UTC)).exit_code
    except VerifierError:
        return 2


@pytest.fixture(scope="module")
def trust(story: Any) -> Trust:
    return open_trust(story.trust.read_bytes())


def flips(data: bytes, place: int) -> list[bytes]:
    """The byte at `place` with its lowest bit flipped, with its case bit, and as a space."""
    changed = {data[place] ^ 1, data[place] ^ 0x20, 0x20} - {data[place]}
    return [data[:place] + bytes([byte]) + data[place + 1 :] for byte in sorted(changed)]


def test_every_byte_of_the_bundle(story: Any, trust: Trust) -> None:
    good = story.bundle.read_bytes()
    assert exit_code(good, trust) == 0
    # Every byte in turn, by one of the three ways in turn: all three ways reach every region.
    for place in range(len(good)):
        ways = flips(good, place)
        assert exit_code(ways[place % len(ways)], trust) != 0, f"byte {place}"


@pytest.mark.slow
def test_every_byte_of_the_bundle_in_every_way(story: Any, trust: Trust) -> None:
    good = story.bundle.read_bytes()
    for place in range(len(good)):
        for changed in flips(good, place):
            assert exit_code(changed, trust) != 0, f"byte {place}"


def test_bytes_of_what_a_badge_holds(story: Any, trust: Trust) -> None:
    credential = (story.out / "learner.credential.json").read_bytes()
    receipt = read_evidence(story.bundle.read_bytes(), "x").receipt
    assert receipt is not None
    picture = (story.out / "learner.qr.png").read_bytes()
    assert exit_code(bake_png(picture, credential, receipt), trust) == 0
    assert exit_code(bake_png(picture, credential), trust) == 3
    for place in range(0, len(credential), 17):
        code = exit_code(bake_png(picture, flips(credential, place)[0], receipt), trust)
        # 3 only where a proof became one of an unknown kind, as for the bare credential.
        partly = code == 3 and b"proof" in credential[max(0, place - 900) : place + 900]
        assert code in (1, 2) or partly, f"byte {place}"
    for place in range(0, len(receipt), 17):
        changed = flips(receipt.encode(), place)[0].decode(errors="replace")
        assert exit_code(bake_png(picture, credential, changed), trust) != 0, f"byte {place}"


def test_bytes_of_what_a_certificate_holds(story: Any, trust: Trust) -> None:
    bundle = story.bundle.read_bytes()
    facts = certificate_facts(read_evidence(bundle, "x").credential)
    code = (story.out / "learner.qr.png").read_bytes()
    moment = datetime(2026, 11, 24, tzinfo=UTC)

    def certificate(content: bytes) -> bytes:
        return certificate_pdf(facts, "the bank", content, code, moment)

    assert exit_code(certificate(bundle), trust) == 0
    for place in range(0, len(bundle), len(bundle) // 12):
        assert exit_code(certificate(flips(bundle, place)[0]), trust) != 0, f"byte {place}"


def test_every_byte_of_the_bare_credential(story: Any, trust: Trust) -> None:
    good = (story.out / "learner.credential.json").read_bytes()
    assert exit_code(good, trust) == 3
    for place in range(len(good)):
        ways = flips(good, place)
        changed = ways[place % len(ways)]
        if exit_code(changed, trust) == 3:
            # Only where it makes a proof one of an unknown kind: the other proof still holds, and
            # the report says that something is not understood.
            report = verify(read_evidence(changed, "x"), trust, datetime.now(UTC))
            assert report.checks[1].code == "signature.partly", f"byte {place}"
        else:
            assert exit_code(changed, trust) in (1, 2), f"byte {place}"


def test_every_digit_of_the_qr_code(story: Any, trust: Trust) -> None:
    domain, digits = parse_url(scan((story.out / "learner.qr.png").read_bytes()))
    assert verify(read_qr_url(qr_url(domain, digits)), trust, datetime.now(UTC)).exit_code == 0
    for place in range(0, len(digits), 3):
        other = str((int(digits[place]) + 1) % 10)
        url = qr_url(domain, digits[:place] + other + digits[place + 1 :])
        assert exit_code(url.encode(), trust) != 0, f"digit {place}"


def test_cut_short_anywhere(story: Any, trust: Trust) -> None:
    good = story.bundle.read_bytes()
    for length in range(0, len(good), 37):
        assert exit_code(good[:length], trust) == 2
    assert exit_code(good + b"\n", trust) == 2


def test_a_changed_trust_bundle_is_not_opened(story: Any) -> None:
    good = story.trust.read_bytes()
    step = max(1, len(good) // 400)
    for place in range(0, len(good), step):
        changed = flips(good, place)[0]
        with pytest.raises(VerifierError):
            open_trust(changed)


def test_the_check_can_fail(story: Any, trust: Trust) -> None:
    """Were the receipt's own signatures not checked, a changed cosignature would pass."""
    evidence = read_evidence(story.bundle.read_bytes(), "x")
    assert evidence.receipt is not None
    line = next(x for x in evidence.receipt.splitlines() if x.startswith("— sichuan"))
    _, name, value = line.split(" ")
    signature = bytearray(base64.b64decode(value))
    signature[-1] ^= 1
    forged = f"— {name} {base64.b64encode(bytes(signature)).decode()}"
    changed = type(evidence)(evidence.credential, evidence.receipt.replace(line, forged), "bundle")
    report = verify(changed, trust, datetime.now(UTC))
    assert report.exit_code == 1
    without = type(evidence)(evidence.credential, None, "credential")
    assert verify(without, trust, datetime.now(UTC)).exit_code == 3
