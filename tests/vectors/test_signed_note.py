"""The examples of the C2SP documents, and signatures made by another library than ours."""

from __future__ import annotations

import base64
import struct
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from keys import PrivateKey
from ledger import BadNote, BadReceipt, Checkpoint, Receipt, VerifierKey, open_note, sign_note
from ledger.cosignature import Ed25519Cosigner, MLDSA44Cosigner
from ledger.note import (
    COSIGNATURE_ED25519,
    COSIGNATURE_MLDSA44,
    ED25519,
    cosigned_subtree,
    cosigned_text,
)
from ledger.tlog_tiles import Resource, resources

# signed-note.md
FOO = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
FOO_NOTE = """This is an example message.

— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=
"""  # noqa: E501
QUASIMODO = """Ognuno sta solo sul cuor della terra
trafitto da un raggio di sole:

ed è subito sera.

— quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=
"""  # noqa: E501
# tlog-checkpoint.md, tlog-cosignature.md
SOFA_TEXT = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
SOFA = f"""{SOFA_TEXT}
— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
"""  # noqa: E501
SOFA_COSIGNED = f"""{SOFA}— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==
"""  # noqa: E501
# tlog-proof.md, its signature lines shortened there and left out here
PROOF = """c2sp.org/tlog-proof@v1
index 73894
gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=
B95lDa8R83lS8n0eG+o0buTxRKQTYFi//1U8anccXmA=
EKNzoDWG8LGC0Yp9o+sv3qllpMP9uHQ9B20KNL+Q1zs=
RoopEkOdqkYqMB4MJXrbt/hMjOxsVn0IrWjpz1ZMMes=
AHCioX9nLjsrse6YhjRRmk1WUEirVOLLRoOQ6vfO5vk=

example.com/fancylog
109482
sFodV/vSp5O8n9a8QpW6PRY97tfOSW5bsc2Xl/EQi08=

— example.com/fancylog hI2DJw[...]1roloI=
"""


def test_the_key_and_note_of_signed_note() -> None:
    key = VerifierKey.parse(FOO)
    assert (key.name, key.kind, key.key_id.hex()) == ("example.com/foo", ED25519, "530d903a")
    assert str(key) == FOO
    opened = open_note(FOO_NOTE, [key])
    assert opened.text == "This is an example message.\n"
    assert [(found.key, found.time) for found in opened.signatures] == [(key, None)]
    assert opened.unknown == ()


def test_control_every_changed_byte_of_that_note_is_refused_or_unsigned() -> None:
    """A changed name or key id is another's line; any other change is an error."""
    key = VerifierKey.parse(FOO)
    data = FOO_NOTE.encode()
    line = data.index("—".encode())
    name = range(line + 4, line + 4 + len("example.com/foo"))
    unsigned = 0
    for place in range(len(data)):
        changed = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        try:
            opened = open_note(changed.decode(), [key])
        except (UnicodeDecodeError, BadNote):
            continue
        assert opened.signatures == (), place
        unsigned += 1
        assert place in name or place in range(name.stop + 1, name.stop + 8), place
    assert unsigned >= len(name)


def test_every_changed_character_of_that_key_is_refused() -> None:
    for place in range(len(FOO)):
        with pytest.raises(BadNote):
            VerifierKey.parse(FOO[:place] + chr(ord(FOO[place]) ^ 1) + FOO[place + 1 :])


def test_the_text_may_hold_empty_lines() -> None:
    opened = open_note(QUASIMODO, [VerifierKey.parse(FOO)])
    assert opened.text.endswith("sole:\n\ned è subito sera.\n")
    assert opened.unknown == ("quasimodo.example/salvatore",)
    assert opened.signatures == ()


def test_the_checkpoint_of_tlog_checkpoint() -> None:
    opened = open_note(SOFA, ())
    checkpoint = Checkpoint.parse(opened.text)
    assert checkpoint.origin == "example.com/behind-the-sofa"
    assert checkpoint.size == 20852163
    assert checkpoint.root[:2] == b"\x0a\xc5"
    assert checkpoint.extensions == ()
    assert checkpoint.text == opened.text == SOFA_TEXT


def test_the_cosignature_of_tlog_cosignature() -> None:
    opened = open_note(SOFA_COSIGNED, ())
    assert opened.unknown == ("example.com/behind-the-sofa", "witness.example.com/w1")
    assert cosigned_text(opened.text, 1679315147) == (
        b"cosignature/v1\ntime 1679315147\nexample.com/behind-the-sofa\n20852163\n"
        b"CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    )


def test_the_proof_of_tlog_proof() -> None:
    """With an `extra` line that is our entry; the document's own one is not base64."""
    ours = PROOF.replace("index", "extra YWdl\nindex", 1)
    receipt = Receipt.parse(ours)
    assert (receipt.entry, receipt.index, len(receipt.path)) == (b"age", 73894, 5)
    assert receipt.checkpoint.startswith("example.com/fancylog\n109482\n")
    assert receipt.encode() == ours
    with pytest.raises(BadNote, match="signature line"):
        open_note(receipt.checkpoint, ())
    with pytest.raises(BadReceipt, match="lacks the entry"):
        Receipt.parse(PROOF)


def test_the_paths_and_the_log_of_tlog_tiles() -> None:
    for path, expected in (
        ("tile/0/x001/x234/067", Resource(0, 1234067, 256)),
        ("tile/0/x001/x234/067.p/8", Resource(0, 1234067, 8)),
        ("tile/entries/x001/x234/067", Resource(None, 1234067, 256)),
        ("tile/1/000.p/17", Resource(1, 0, 17)),
    ):
        assert Resource.parse(path) == expected
        assert expected.path == path
    found = list(resources(0, 70_000))
    full = [(r.level, r.index) for r in found if r.width == 256 and r.level is not None]
    assert full == [*((0, index) for index in range(273)), (1, 0)]
    partial = [(r.level, r.index, r.width) for r in found if r.width < 256]
    assert partial == [(None, 273, 112), (0, 273, 112), (1, 1, 17), (2, 0, 1)]


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/x001/x234/67",
        "tile/0/001/234/067",
        "tile/0/x000/067",
        "tile/00/067",
        "tile/64/067",
        "tile/0/067.p/0",
        "tile/0/067.p/256",
        "tile/0/067.p/08",
        "tile/0/067.p/²",
        "tile/0/٠٦٧",
        "tile/-1/067",
        "tile/0",
        "tile/0/",
        "checkpoint",
        "tile/0/" + "9" * 5000,
        "tile/" + "9" * 5000 + "/000",
        "tile/0/000.p/" + "9" * 5000,
    ],
    ids=lambda path: path[:20],
)
def test_other_spellings_name_nothing(path: str) -> None:
    assert Resource.parse(path) is None


NAME = "witness.example/w1"
TIME = 1_795_000_000


def note_with(key: VerifierKey, signature: bytes, text: str = SOFA_TEXT) -> str:
    """A note with one signature line, put together here."""
    line = base64.b64encode(key.key_id + signature).decode()
    return f"{text}\n— {key.name} {line}\n"


def test_an_ed25519_note_made_by_cryptography() -> None:
    private = Ed25519PrivateKey.from_private_bytes(b"\1" * 32)
    raw = private.public_key().public_bytes_raw()
    key = VerifierKey("log.example", ED25519, raw)
    assert key.key_id == sha256(b"log.example\n\x01" + raw).digest()[:4]
    note = note_with(key, private.sign(SOFA_TEXT.encode()))
    assert open_note(note, [key]).signatures[0].key == key
    assert sign_note(SOFA_TEXT, "log.example", PrivateKey.from_seed(b"\1" * 32)) == note


def test_an_ed25519_cosignature_made_by_cryptography() -> None:
    private = Ed25519PrivateKey.from_private_bytes(b"\2" * 32)
    key = VerifierKey(NAME, COSIGNATURE_ED25519, private.public_key().public_bytes_raw())
    assert key.key_id == sha256(NAME.encode() + b"\n\x04" + key.raw).digest()[:4]
    signed = private.sign(f"cosignature/v1\ntime {TIME}\n{SOFA_TEXT}".encode())
    note = note_with(key, struct.pack(">Q", TIME) + signed)
    (found,) = open_note(note, [VerifierKey.parse(str(key))]).signatures
    assert (found.key, found.time) == (key, TIME)
    assert Ed25519Cosigner(NAME, PrivateKey.from_seed(b"\2" * 32)).cosign(SOFA_TEXT, TIME) in note


def message(name: str, time: int, origin: str, size: int, root: bytes) -> bytes:
    """tlog-cosignature's cosigned_message, field by field."""
    return b"".join(
        (
            b"subtree/v1\n\0",
            struct.pack("B", len(name)) + name.encode(),
            struct.pack(">Q", time),
            struct.pack("B", len(origin)) + origin.encode(),
            struct.pack(">QQ", 0, size),
            root,
        )
    )


def test_an_ml_dsa_44_cosignature_made_by_cryptography() -> None:
    private = MLDSA44PrivateKey.from_seed_bytes(b"\3" * 32)
    key = VerifierKey(NAME, COSIGNATURE_MLDSA44, private.public_key().public_bytes_raw())
    assert len(key.raw) == 1312
    assert key.key_id == sha256(NAME.encode() + b"\n\x06" + key.raw).digest()[:4]
    checkpoint = Checkpoint.parse(SOFA_TEXT)
    said = message(NAME, TIME, checkpoint.origin, checkpoint.size, checkpoint.root)
    assert cosigned_subtree(SOFA_TEXT, TIME, NAME) == said
    signature = private.sign(said)
    assert len(signature) == 2420
    note = note_with(key, struct.pack(">Q", TIME) + signature)
    (found,) = open_note(note, [VerifierKey.parse(str(key))]).signatures
    assert (found.key, found.time) == (key, TIME)
    ours = MLDSA44Cosigner(NAME, b"\3" * 32)
    assert ours.key == key
    assert (
        open_note(f"{SOFA_TEXT}\n{ours.cosign(SOFA_TEXT, TIME)}", [key]).signatures[0].time == TIME
    )


@pytest.mark.parametrize("kind", [COSIGNATURE_ED25519, COSIGNATURE_MLDSA44])
def test_control_a_cosignature_binds_time_text_and_name(kind: int) -> None:
    private: Ed25519PrivateKey | MLDSA44PrivateKey
    if kind == COSIGNATURE_ED25519:
        private = Ed25519PrivateKey.from_private_bytes(b"\4" * 32)
        said = f"cosignature/v1\ntime {TIME}\n{SOFA_TEXT}".encode()
    else:
        private = MLDSA44PrivateKey.from_seed_bytes(b"\4" * 32)
        said = cosigned_subtree(SOFA_TEXT, TIME, NAME)
    key = VerifierKey(NAME, kind, private.public_key().public_bytes_raw())
    signature = private.sign(said)
    good = struct.pack(">Q", TIME) + signature
    assert open_note(note_with(key, good), [key]).signatures
    bad = [
        struct.pack(">Q", TIME + 1) + signature,
        signature,
        good[:-1],
        good + b"\0",
        good[:8],
        good[:3],
        good[:-1] + bytes([good[-1] ^ 1]),
        struct.pack(">Q", TIME) + private.sign(SOFA_TEXT.encode()),
    ]
    for data in bad:
        with pytest.raises(BadNote):
            open_note(note_with(key, data), [key])
    for text in (
        SOFA_TEXT.replace("20852163", "20852164"),
        SOFA_TEXT.replace("sofa", "sofb"),
        SOFA_TEXT.replace("CsUY", "DsUY"),
    ):
        with pytest.raises(BadNote):
            open_note(note_with(key, good, text), [key])
    other = VerifierKey("witness.example/w2", kind, key.raw)
    if kind == COSIGNATURE_MLDSA44:
        with pytest.raises(BadNote):
            open_note(note_with(other, good), [other])


@pytest.mark.parametrize(
    "text",
    [
        "o" * 256 + "\n1\n" + base64.b64encode(bytes(32)).decode() + "\n",
        "学" * 100 + "\n1\n" + base64.b64encode(bytes(32)).decode() + "\n",
        "log.example\n" + "9" * 30 + "\n" + base64.b64encode(bytes(32)).decode() + "\n",
        "log.example\n" + "9" * 5000 + "\n" + base64.b64encode(bytes(32)).decode() + "\n",
        "log.example\n1\n" + base64.b64encode(bytes(31)).decode() + "\n",
        "log.example\n007\n" + base64.b64encode(bytes(32)).decode() + "\n",
        "log.example\n\n" + base64.b64encode(bytes(32)).decode() + "\n",
        "not a checkpoint\n",
    ],
    ids=["origin", "bytes", "size", "digits", "root", "zeros", "no-size", "lines"],
)
def test_what_no_ml_dsa_44_cosignature_can_sign_is_refused_in_words(text: str) -> None:
    """Whoever writes the note needs no key to write such a line under a known key's name."""
    private = MLDSA44PrivateKey.from_seed_bytes(b"\5" * 32)
    key = VerifierKey(NAME, COSIGNATURE_MLDSA44, private.public_key().public_bytes_raw())
    with pytest.raises(BadNote):
        open_note(note_with(key, struct.pack(">Q", TIME) + bytes(2420), text), [key])
    with pytest.raises(BadNote):
        cosigned_subtree(text, TIME, NAME)


@pytest.mark.parametrize("kind", [COSIGNATURE_ED25519, COSIGNATURE_MLDSA44])
def test_a_time_no_calendar_holds_is_refused(kind: int) -> None:
    """tlog-cosignature allows times up to 2**63 - 1 at most."""
    time = 2**63
    if kind == COSIGNATURE_ED25519:
        line = Ed25519Cosigner(NAME, PrivateKey.from_seed(b"\6" * 32))
        note = f"{SOFA_TEXT}\n{line.cosign(SOFA_TEXT, time)}"
        key = line.key
    else:
        other = MLDSA44Cosigner(NAME, b"\6" * 32)
        note, key = f"{SOFA_TEXT}\n{other.cosign(SOFA_TEXT, time)}", other.key
    with pytest.raises(BadNote, match="time"):
        open_note(note, [key])
