"""Signed notes: what is refused, and what a signature covers."""

from __future__ import annotations

import base64

import pytest

from keys import PrivateKey
from ledger import BadNote, Checkpoint, VerifierKey, open_note, sign_note
from ledger.cosignature import Ed25519Cosigner, MLDSA44Cosigner, cosign_all
from ledger.note import ED25519, cosigned_subtree, lines_by, signature_line

NAME, TEXT = (
    "bank.example/log",
    "bank.example/log\n3\n" + base64.b64encode(bytes(32)).decode() + "\n",
)
SIGNER, OTHER = PrivateKey.from_seed(b"\1" * 32), PrivateKey.from_seed(b"\2" * 32)
KEY = VerifierKey(NAME, ED25519, SIGNER.public_key.raw)
GOOD = sign_note(TEXT, NAME, SIGNER)
COSIGNERS = (
    Ed25519Cosigner("w1.example", PrivateKey.from_seed(b"\3" * 32)),
    MLDSA44Cosigner("w2.example", b"\4" * 32),
)


def test_round_trip_with_cosigners() -> None:
    note = GOOD + cosign_all(COSIGNERS, TEXT, 1_795_000_000)
    keys = [KEY, *(cosigner.key for cosigner in COSIGNERS)]
    opened = open_note(note, keys)
    assert opened.text == TEXT
    assert [found.key for found in opened.signatures] == keys
    assert [found.time for found in opened.signatures] == [None, 1_795_000_000, 1_795_000_000]


def test_lines_by_keys_not_given_are_listed_and_count_for_nothing() -> None:
    note = GOOD + cosign_all(COSIGNERS, TEXT, 1)
    opened = open_note(note, [KEY])
    assert [found.key for found in opened.signatures] == [KEY]
    assert opened.unknown == ("w1.example", "w2.example")
    # The same name with another key is another signer.
    namesake = VerifierKey(NAME, ED25519, OTHER.public_key.raw)
    assert open_note(GOOD, [namesake]).signatures == ()


def test_a_bad_line_by_a_known_key_condemns_the_note() -> None:
    forged = f"{TEXT}\n" + signature_line(KEY, OTHER.sign(TEXT.encode()))
    with pytest.raises(BadNote, match="does not match"):
        open_note(forged, [KEY])
    assert open_note(forged, []).unknown == (NAME,)
    with pytest.raises(BadNote, match="does not match"):
        open_note(GOOD.replace("\n3\n", "\n4\n"), [KEY])


def test_signed_twice() -> None:
    line = signature_line(KEY, SIGNER.sign(TEXT.encode()))
    with pytest.raises(BadNote, match="signed twice"):
        open_note(GOOD + line, [KEY])


@pytest.mark.parametrize(
    "note",
    [
        "",
        "\n",
        TEXT,
        TEXT + "\n",
        GOOD.rstrip("\n"),
        GOOD + "\n",
        GOOD.replace("\n\n", "\n"),
        GOOD.replace("—", "-"),
        GOOD.replace("— ", "—"),
        GOOD.replace("— ", "—  "),
        GOOD.replace(" ", "\t"),
        GOOD.replace("\n", "\r\n"),
        GOOD.replace("log\n", "log\0\n", 1),
        GOOD.replace("log\n", "log\x7f\n", 1),
        GOOD.replace("log\n", "log\ud800\n", 1),
        GOOD.replace("— bank", "— bank+"),
        GOOD.replace("— bank", "— bank\u00a0"),
        GOOD.replace("— bank", "— bank\u3000"),
        GOOD.replace("— bank.example/log", "— " + "n" * 256),
        GOOD[:-2] + "\n",
        GOOD[:-1] + "=\n",
        GOOD[:-1] + "!\n",
        GOOD[:-1] + "x",
        "\n\n" + GOOD.partition("\n\n")[2],
        GOOD.partition("\n\n")[2],
        f"{TEXT}\n— {NAME} AAAAAA==\n",
        f"{TEXT}\n— {NAME} \n",
        GOOD + "not a signature line\n",
        GOOD + GOOD.split("\n\n")[1] * 100,
        "x" * (1024 * 1024) + GOOD,
    ],
    ids=range(30),
)
def test_malformed_notes_are_refused(note: str) -> None:
    for keys in ((), (KEY,)):
        with pytest.raises(BadNote):
            open_note(note, keys)


def test_control_sixteen_large_signatures_are_read() -> None:
    """C2SP asks that much of every reader."""
    many = [MLDSA44Cosigner(f"w{n}.example", bytes([n]) * 32) for n in range(16)]
    note = f"{TEXT}\n" + cosign_all(many, TEXT, 5)
    assert len(open_note(note, [each.key for each in many]).signatures) == 16


def test_every_flipped_bit_of_the_text_is_seen() -> None:
    for place in range(len(TEXT)):
        changed = TEXT[:place] + chr(ord(TEXT[place]) ^ 1) + GOOD[place + 1 :]
        with pytest.raises(BadNote):
            open_note(changed, [KEY])


def spell(name: str, identifier: str, body: bytes) -> str:
    return f"{name}+{identifier}+{base64.b64encode(body).decode()}"


def test_verifier_keys() -> None:
    for key in (KEY, *(cosigner.key for cosigner in COSIGNERS)):
        assert VerifierKey.parse(str(key)) == key
    good = str(KEY)
    raw = bytes([ED25519]) + KEY.raw
    small = VerifierKey(NAME, ED25519, b"\1" + bytes(31))
    strange = VerifierKey(NAME, 2, KEY.raw)
    short = VerifierKey(NAME, ED25519, KEY.raw[:-1])
    cut = VerifierKey(NAME, 6, bytes(1311))
    for text in (
        "",
        "+",
        "++",
        NAME,
        good[:-1],
        good + "\n",
        " " + good,
        good.replace("+", " ", 1),
        spell("", KEY.key_id.hex(), raw),
        spell("a b", KEY.key_id.hex(), raw),
        spell(NAME, KEY.key_id.hex().upper(), raw),
        spell(NAME, "00000000", raw),
        spell("other.example", KEY.key_id.hex(), raw),
        spell(NAME, KEY.key_id.hex(), b"\1"),
        str(VerifierKey(NAME, ED25519, b"")),
        spell("n" * 256, VerifierKey("n" * 256, ED25519, KEY.raw).key_id.hex(), raw),
        str(small),
        str(strange),
        str(short),
        str(cut),
        f"bank.example/\ud800+{KEY.key_id.hex()}+{base64.b64encode(raw).decode()}",
    ):
        with pytest.raises(BadNote):
            VerifierKey.parse(text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (f"{NAME}+{KEY.key_id.hex()}+A", "is not base64$"),
        (f"{NAME}+{KEY.key_id.hex()}+Aé==", "is not base64$"),
        (f"{NAME}+{KEY.key_id.hex()}+AR==", "is not the one base64 form of its bytes$"),
        (str(KEY) + "!", "is not the one base64 form of its bytes$"),
    ],
)
def test_what_is_wrong_with_a_key_names_its_beginning(text: str, says: str) -> None:
    with pytest.raises(BadNote, match=says) as caught:
        VerifierKey.parse(text)
    assert str(caught.value).startswith(f"verifier key {text[:60]!r} is not ")


def test_a_signature_of_one_byte_is_read_and_that_of_none_is_not() -> None:
    assert open_note(f"{TEXT}\n— {NAME} AAAAAAA=\n", [KEY]).unknown == (NAME,)
    for signature, says in (
        ("AAAAAA==", "too short"),
        ("AAAAAAB=", "a signature line is not the one base64 form"),
        ("AAAAA", "^a signature line is not base64$"),
    ):
        with pytest.raises(BadNote, match=says):
            open_note(f"{TEXT}\n— {NAME} {signature}\n", [KEY])


def test_the_largest_note_and_the_most_signatures() -> None:
    lines = GOOD.partition("\n\n")[2]
    text = "x" * (1024 * 1024 - len(lines) - 2)
    assert open_note(f"{text}\n\n{lines}", ()).text == text + "\n"
    with pytest.raises(BadNote, match="over 1 MiB"):
        open_note(f"{text}x\n\n{lines}", ())
    assert len(open_note(f"{TEXT}\n{lines * 100}", ()).unknown) == 100
    with pytest.raises(BadNote, match="over 100 signatures"):
        open_note(f"{TEXT}\n{lines * 101}", ())


@pytest.mark.parametrize("cosigner", COSIGNERS)
def test_the_last_second_of_the_calendar(cosigner: Ed25519Cosigner | MLDSA44Cosigner) -> None:
    last = 253_402_300_799
    note = GOOD + cosigner.cosign(TEXT, last)
    assert open_note(note, [cosigner.key]).signatures[0].time == last
    with pytest.raises(BadNote, match="impossible time"):
        open_note(GOOD + cosigner.cosign(TEXT, last + 1), [cosigner.key])


def test_the_lines_by_some_keys() -> None:
    own = GOOD.partition("\n\n")[2]
    first, second = (cosigner.cosign(TEXT, 1) for cosigner in COSIGNERS)
    keys = [cosigner.key for cosigner in COSIGNERS]
    note = GOOD + first + second
    assert lines_by(note, keys) == first + second
    assert lines_by(note, [KEY, keys[1]]) == own + second
    assert lines_by(note, [VerifierKey(NAME, ED25519, OTHER.public_key.raw)]) == ""


def test_names_in_a_cosignature_have_255_bytes() -> None:
    longest = Checkpoint("é" * 127 + "e", 3, bytes(32)).text
    message = cosigned_subtree(longest, 1, "n" * 255)
    assert len(message) == 12 + 256 + 8 + 256 + 8 + 8 + 32
    longer = Checkpoint("é" * 128, 3, bytes(32)).text
    for text, name in ((longest, "n" * 256), (longer, "n" * 255)):
        with pytest.raises(BadNote, match="at most 255 bytes"):
            cosigned_subtree(text, 1, name)
