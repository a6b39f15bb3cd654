"""One key in two roles is refused: on the ledger, where a bank is made, and where one is opened."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from bank.institution import RECORDS
from bank.opening import Admission, create_bank, open_bank, open_member
from bank.settings import read_settings, write_settings
from bank.witnesses import create_witness, open_witness, watch
from keys import PrivateKey, write_keystore
from ledger import Refused, SignedStatement, Statement, VerifierKey
from ledger.cosignature import Ed25519Cosigner
from ledger.note import ED25519
from tests.bank_kit import NAMES, USCC
from tests.chain_kit import (
    BANK,
    KEY,
    LOG,
    NEXT,
    NORTH,
    OTHER,
    SOUTH,
    STRANGER,
    A,
    B,
    Chain,
    admit,
    governed,
    key,
    opening,
)

# Every role that the ledger shows, with the key that has it there.
HELD = {"log": LOG, "governance": A, "member": KEY, "bank": NEXT, "witness": OTHER}
SHARED = "each role takes a key of its own|no witness of itself|a key is registered once"


def witness(taken: PrivateKey, operator: str = "sichuan") -> SignedStatement:
    keys = [str(Ed25519Cosigner(f"{operator}.example", taken).key)]
    body: dict[str, Any] = {
        "keys": keys,
        "operator": operator,
        "quorum": 1,
        "url": "https://w.example",
    }
    return governed("witness.admit", body)


def handover(taken: PrivateKey) -> SignedStatement:
    names = sorted(one.public_key.multikey for one in (taken, STRANGER))
    body: dict[str, Any] = {
        "expires": "2099-01-01T00:00:00Z",
        "governance": {"keys": names, "threshold": 2},
        "version": 2,
    }
    return Statement.make(BANK, "governance.rotate", body).sign(
        *{one.public_key.raw: one for one in (A, B, taken, STRANGER)}.values()
    )


# How a key gets a role after the log was opened. The log's own keys never change.
TAKES = {
    "governance": handover,
    "member": lambda taken: key("key.add", taken, SOUTH),
    "bank": lambda taken: key("key.add", taken, BANK),
    "witness": witness,
}


def full() -> Chain:
    """A log on which every role is held by a key of its own."""
    chain = Chain()
    for signed in (
        opening(),
        admit(),
        admit(SOUTH, "91350100M000100Y44"),
        key("key.add", KEY, NORTH),
        key("key.add", NEXT, BANK),
        witness(OTHER, "jiangsu"),
    ):
        chain.add(signed)
    return chain


@pytest.mark.parametrize(
    ("held", "wanted"), [(a, b) for a, b in permutations(HELD, 2) if b in TAKES]
)
def test_a_key_of_one_role_takes_no_other(held: str, wanted: str) -> None:
    full().refused(TAKES[wanted](HELD[held]), SHARED)


@pytest.mark.parametrize("wanted", TAKES)
def test_a_key_of_no_role_takes_any(wanted: str) -> None:
    full().add(TAKES[wanted](PrivateKey.from_seed(bytes([99]) * 32)))


def test_a_former_governance_key_stays_one() -> None:
    chain = full()
    chain.add(handover(PrivateKey.from_seed(bytes([98]) * 32)))
    assert A.public_key.multikey not in chain.registry.identity.governance  # type: ignore[union-attr]
    add = {"key": A.public_key.multikey, "member": SOUTH}
    new = (PrivateKey.from_seed(bytes([98]) * 32), STRANGER)
    chain.refused(governed("key.add", add, *new), "is of the governance, root 1")


def test_no_log_is_opened_with_its_own_key_as_governance() -> None:
    keys = [A.public_key.multikey, LOG.public_key.multikey]
    governance = {"keys": keys, "threshold": 2}
    Chain().refused(opening(A, LOG, governance=governance), "each role takes a key of its own")
    Chain().add(opening())


def _bank(folder: Path, governance: list[str], uris: dict[str, str] | None = None) -> None:
    create_bank(folder, "cq.example", NAMES, governance, 1, "p", uris or {})


def test_no_bank_is_made_with_one_key_for_two_roles(tmp_path: Path) -> None:
    made: dict[str, str] = {}
    keys = {}
    for name in ("one", "two", "three"):
        keys[name] = PrivateKey.generate()
        write_keystore(tmp_path / name, keys[name].seed, "p", operations=1, memory=8192)
        made[name] = f"file:{tmp_path / name}"
    public = {name: one.public_key.multikey for name, one in keys.items()}
    for number, (governance, log, bank, says) in enumerate(
        (
            ("one", "two", "two", "the bank key is also the log key"),
            ("one", "one", "two", "governance key 1 is also the log key"),
            ("one", "two", "one", "governance key 1 is also the bank key"),
        )
    ):
        with pytest.raises(Refused, match=says):
            _bank(
                tmp_path / str(number), [public[governance]], {"log": made[log], "bank": made[bank]}
            )
        assert not (tmp_path / str(number) / "bank.toml").exists()
    _bank(tmp_path / "good", [public["one"]], {"log": made["two"], "bank": made["three"]})
    open_bank(tmp_path / "good", "p").close()


def test_no_bank_is_opened_with_one_key_for_two_roles(tmp_path: Path) -> None:
    governance = PrivateKey.generate()
    write_keystore(tmp_path / "governance", governance.seed, "p", operations=1, memory=8192)
    _bank(tmp_path / "bank", [governance.public_key.multikey])
    open_bank(tmp_path / "bank", "p").close()
    settings = read_settings(tmp_path / "bank")
    log = f"file:{settings.keystore('log')}"
    for keys, says in (
        ({"bank": log}, "the bank key is also the log key"),
        ({"bank": f"file:{tmp_path / 'governance'}"}, "governance key 1 is also the bank key"),
        ({"log": f"file:{tmp_path / 'governance'}"}, "governance key 1 is also the log key"),
    ):
        write_settings(settings.folder, keys=keys)
        with pytest.raises(Refused, match=says):
            open_bank(tmp_path / "bank", "p")


def test_two_persons_of_a_member_have_two_keys(tmp_path: Path) -> None:
    about = Admission("north", NAMES, USCC["north"], (), ("*",), "8", "2020-01-01", "2100-01-01")
    one = PrivateKey.generate()
    for name in ("signing", "approver"):
        write_keystore(tmp_path / f"{name}.keystore", one.seed, "p", operations=1, memory=8192)
    write_keystore(
        tmp_path / "records.keystore", bytes(32), "p", RECORDS, operations=1, memory=8192
    )
    with pytest.raises(Refused, match="approver key is also"):
        open_member(tmp_path, "cq.example", about, "p")


def test_a_witness_watches_no_log_of_its_own_key(tmp_path: Path) -> None:
    create_witness(tmp_path / "w", "w.example", "p")
    own = open_witness(tmp_path / "w", "p", lambda: datetime.now(UTC))
    own.store.close()
    raw = next(item.raw for item in own.keys if len(item.raw) == 32)
    watch(tmp_path / "w", "bank.example/log", [VerifierKey("bank.example/log", ED25519, raw)])
    with pytest.raises(Refused, match="is also"):
        open_witness(tmp_path / "w", "p", lambda: datetime.now(UTC))
