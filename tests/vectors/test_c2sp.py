"""Examples of C2SP tlog-witness, and of Go's sumdb/note and sumdb/tlog.

`test_signed_note.py` has those of signed-note, tlog-checkpoint, tlog-cosignature, tlog-proof and
tlog-tiles. The keys of tlog-witness's examples are not published, and its proofs are made up:
its examples are read, not verified. Go's carry keys, and verify.
"""

from __future__ import annotations

import base64
from itertools import permutations

import pytest

from keys import PrivateKey
from ledger import (
    BadNote,
    BadProofPath,
    Checkpoint,
    VerifierKey,
    leaf_hash,
    open_note,
    sign_note,
    verify_inclusion,
)
from ledger.note import lines_by
from ledger.subtree import Subtree, subtree_consistency_proof, verify_subtree_consistency
from ledger.tlog_tiles import Resource
from ledger.tree import EMPTY_ROOT, inclusion_ranges, node_hash
from ledger.witness import AddCheckpoint, Turned

# tlog-witness.md, "add-checkpoint"
REQUEST = """old 20852014
PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=
5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=
/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=

example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— example.com/behind-the-sofa opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=
"""  # noqa: E501
ANSWER = """— witness.example/w1 CMp+6LWBU0anHGH5aNDTJkH/gj79sG+T6+iP2ThYN5krrDJbR1HDnucjL39QsZTSvVjyQLrdk3DXDqI5G2HgLatVs0pWh6Up69HVOw==
— witness.example/w1 I7rEps0pvK2UqkS2gSpVUDhrhVtQV9lgF6pRrWAvjJHjyWpW7VcE3SiOlVlbQNt64vWhO+DlkL0+UfzuOBMh9ChdMkP1vi/lCAsmlw==
— witness.example/w2 AWui8Sk55XjYLOijihBjhqEH6nS1ndDymE0a+6idX7pLcnoB+dhnz0854aLZgrrKbYKA7nC3HNJhm/kWl7oJlqU3rXXvpysAdyP3wQ==
"""  # noqa: E501
# tlog-witness.md, "sign-subtree": entries 8 to 13 of a log of 14
SUBTREE = "mbsQCg+dEIMGlpqeGgk94JutQwKKS2Lo5IuDhKmDjiU="
SUBTREE_PROOF = """CD82D2LDm0phY0+xKbHyZfq3Hw21lVkuV7Zis5EFg0k=
h/ghL5nyaXTIBAklqDnisM+SFdbA3izoGZ5oRYMZzc0=
8qtnAAU9sTKQx/zt3E4v8Jt2a9IMQUf0QUawvePF9y0=
KuO5BNOmginG34Lm5G3e2GuiWliGo3K0ebzGpvI0fEg="""
SUBTREE_ROOT = "/CcKVZM9n65aH7jLaIZuUB4/MSlEFQ4+ldwUC21rDHM="
# golang.org/x/mod/sumdb/note, its documentation: deterministic keys and signatures
NEUMANN = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
NEUMANN_SECRET = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
LINE = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"  # noqa: E501
ENOCH = "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n"  # noqa: E501


def nodes(text: str) -> list[bytes]:
    return [base64.b64decode(line) for line in text.split()]


# --- tlog-witness


def test_the_request_of_tlog_witness() -> None:
    request = AddCheckpoint.parse(REQUEST.encode())
    assert (request.old, len(request.proof)) == (20852014, 4)
    assert request.proof[0].hex().startswith("3e544d0abc07a6a8")
    assert request.encode() == REQUEST.encode()
    opened = open_note(request.note, ())
    checkpoint = Checkpoint.parse(opened.text)
    assert (checkpoint.origin, checkpoint.size) == ("example.com/behind-the-sofa", 20852163)
    assert opened.unknown == ("example.com/behind-the-sofa",) * 2


@pytest.mark.parametrize(
    "broken",
    [
        REQUEST.replace("old 20852014", "old 020852014"),
        REQUEST.replace("old ", "old: "),
        REQUEST.replace("\n", "\r\n"),
        REQUEST.replace("PlRNCrwH", "PlRNCrw"),
        REQUEST.replace("pkaw=\n", "pkaw=\n\n", 1).replace("q2I=\n\n", "q2I=\n", 1),
        REQUEST.replace("\n\n", "\n"),
    ],
    ids=range(6),
)
def test_the_control_that_request_changed_is_refused(broken: str) -> None:
    with pytest.raises((Turned, BadNote)):
        open_note(AddCheckpoint.parse(broken.encode()).note, ())


def test_the_answer_of_tlog_witness() -> None:
    """Concatenated to the checkpoint it is a note, as the document says a client may do."""
    note = AddCheckpoint.parse(REQUEST.encode()).note
    opened = open_note(note + ANSWER, ())
    assert opened.unknown[2:] == ("witness.example/w1",) * 2 + ("witness.example/w2",)
    data = [base64.b64decode(line.split(" ")[2]) for line in ANSWER.splitlines()]
    assert [len(value) for value in data] == [4 + 8 + 64] * 3
    # Lines of keys that are not trusted are not taken over.
    key = VerifierKey("witness.example/w1", 4, bytes(32))
    assert lines_by(note + ANSWER, [key]) == ""


def test_the_subtree_proof_of_tlog_witness_is_made_up() -> None:
    """It has the form of one, but no order of its hashes gives its subtree: it is refused."""
    (subtree,), (root,), proof = nodes(SUBTREE), nodes(SUBTREE_ROOT), nodes(SUBTREE_PROOF)
    parents = {node_hash(left, right) for left, right in permutations(proof, 2)}
    assert subtree not in parents
    assert len(subtree_consistency_proof(Subtree(8, 13), 14, lambda lo, hi: bytes(32))) == 4
    with pytest.raises(BadProofPath):
        verify_subtree_consistency(Subtree(8, 13), 14, proof, subtree, root)


def test_the_empty_tree_of_tlog_witness() -> None:
    """RFC 6962 section 2.1: the hash of the empty string."""
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


# --- Go's sumdb


def test_the_note_of_go() -> None:
    key = VerifierKey.parse(NEUMANN)
    assert (key.name, key.key_id.hex(), str(key)) == ("PeterNeumann", "c74f20a3", NEUMANN)
    opened = open_note(f"{TEXT}\n{LINE}", [key])
    assert (opened.text, [one.key for one in opened.signatures]) == (TEXT, [key])
    both = open_note(f"{TEXT}\n{LINE}{ENOCH}", [key])
    assert (len(both.signatures), both.unknown) == (1, ("EnochRoot",))
    with pytest.raises(BadNote):
        open_note(f"{TEXT.replace('problem', 'question', 1)}\n{LINE}", [key])


def test_the_signer_of_go_makes_the_same_bytes() -> None:
    kind, *seed = base64.b64decode(NEUMANN_SECRET)
    assert kind == 1
    signer = PrivateKey.from_seed(bytes(seed))
    assert sign_note(TEXT, "PeterNeumann", signer) == f"{TEXT}\n{LINE}"


@pytest.mark.parametrize(
    "key",
    [
        # The bad keys of Go's own tests of that key.
        NEUMANN[:-1],
        NEUMANN.replace("Rpc2", "Rpc3"),
        "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",
        "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        NEUMANN.replace("PeterNeumann", "Peter Neumann"),
        NEUMANN.replace("+c74f20a3", ""),
    ],
)
def test_keys_that_go_refuses(key: str) -> None:
    with pytest.raises(BadNote):
        VerifierKey.parse(key)


def test_the_tree_of_go() -> None:
    text = "go.sum database tree\n123456789012\nTszzRgjTG6xce+z2AG31kAXYKBgQVtCSCE40HmuwBb0=\n"
    tree = Checkpoint.parse(text)
    assert (tree.origin, tree.size) == ("go.sum database tree", 123456789012)
    assert tree.root == leaf_hash(b"hello world")
    for bad in (
        text.replace("123456789012", "0xabcdef"),
        text.replace("Bb0=", "BTOOBIG="),
        text.removesuffix("\n"),
    ):
        with pytest.raises(BadNote):
            Checkpoint.parse(bad)


# Go's tests of tile paths, those of height 8, without the height that tlog-tiles leaves out.
@pytest.mark.parametrize(
    ("path", "resource"),
    [
        ("tile/0/001", Resource(0, 1, 256)),
        ("tile/0/001.p/5", Resource(0, 1, 5)),
        ("tile/3/x123/x456/078", Resource(3, 123456078, 256)),
        ("tile/3/x123/x456/078.p/2", Resource(3, 123456078, 2)),
        ("tile/1/x003/x057/500", Resource(1, 3057500, 256)),
        ("tile/3/123/456/078", None),
        ("tile/-1/123/456/078", None),
        ("tile/1/x003/x057/500.p/256", None),
    ],
)
def test_tile_paths_as_go_reads_them(path: str, resource: Resource | None) -> None:
    assert Resource.parse(path) == resource
    if resource is not None:
        assert resource.path == path


# --- tlog-proof


def test_the_path_of_tlog_proof_s_example_is_abridged() -> None:
    """Five hashes cannot prove entry 73,894 of 109,482: such a path has 17, and is refused."""
    assert len(inclusion_ranges(73894, 109482)) == 17
    path = nodes(
        "gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ= B95lDa8R83lS8n0eG+o0buTxRKQTYFi//1U8anccXmA= "
        "EKNzoDWG8LGC0Yp9o+sv3qllpMP9uHQ9B20KNL+Q1zs= RoopEkOdqkYqMB4MJXrbt/hMjOxsVn0IrWjpz1ZMMes= "
        "AHCioX9nLjsrse6YhjRRmk1WUEirVOLLRoOQ6vfO5vk="
    )
    (root,) = nodes("sFodV/vSp5O8n9a8QpW6PRY97tfOSW5bsc2Xl/EQi08=")
    with pytest.raises(BadProofPath, match="too short"):
        verify_inclusion(leaf_hash(b"age"), 73894, 109482, path, root)
