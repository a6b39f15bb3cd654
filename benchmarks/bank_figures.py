"""Figures of the credit bank itself: recognition, passbooks, rebuilding."""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import select

from bank.lot_map import make_map
from bank.recognition import Recogniser
from bank.tables import credentials
from bank.tables import lots as lots_table
from benchmarks.measure import Figure, compare, count, rate
from benchmarks.samples import MOST_ALONE
from keys import Json, b64u_encode
from ledger import Registry, SignedStatement, Statement, leaf_hash
from ledger.authority import Grant, Member
from ledger.catalogue import Unit
from ledger.frameworks import Scheme
from ledger.lot_map import LotRecord
from ledger.rules import Rule, rule_of
from ledger.standing import Facts
from ledger.tree import Frontier
from tests.bank_kit import SmallBank, result, small_bank

_TIME = "2026-11-23T18:18:22Z"
_NAMES = {"en": "N", "zh": "名"}
_FIELDS = [f"field-{n}" for n in range(60)]
_MEMBERS = [f"did:web:bank.example:members:m{n}" for n in range(64)]
_UNITS = 60


def recognise_10k_rules() -> Figure:
    """Decisions a second over 10,000 rules; the peer asks every rule, as a loop would."""
    dice = random.Random(6)
    registry = _registry(dice, count(10_000))
    engine = Recogniser(registry)
    lots = [_lot(dice) for _ in range(count(2000))]
    rules = list(registry.catalogue.rules.values())
    few = lots[: max(1, len(lots) // 500)]
    found = [sum(d.recognised for r in rules for d in engine.explain(r, x, _TIME)) for x in few]
    if found != [len(engine.recognise(lot, _TIME)) for lot in few]:
        raise AssertionError("the index and the loop come to different decisions")

    def ours() -> float:
        return rate(len(lots), lambda: [engine.recognise(lot, _TIME) for lot in lots])

    def peer() -> float:
        def loop() -> None:
            for lot in few:
                for rule in rules:
                    engine.explain(rule, lot, _TIME)

        return rate(len(few), loop)

    return compare(ours, peer, "asking every rule", "lots/s")


def seconds(work: Callable[[], object]) -> float:
    """How long `work` takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _registry(dice: random.Random, number: int) -> Registry:
    registry = Registry()
    catalogue = registry.catalogue
    catalogue.schemes["standard"] = Scheme("standard", 1, _NAMES, Decimal(16))
    grant = Grant(1, ("*",), 8, "2026-01-01", "2030-01-01")
    for did in _MEMBERS:
        registry.members[did] = Member(did, _NAMES, "", ("awarding",), True, {}, (grant,))
        for n in range(_UNITS):
            field = dice.choice(_FIELDS)
            catalogue.units[did, f"U{n}@1"] = Unit(
                did, f"U{n}", 1, Decimal(4), field, "lof", "64", 5, "standard", _NAMES
            )
    for n in range(number):
        author = dice.choice(_MEMBERS)
        rule = _rule(dice, author, n)
        catalogue.rules[author, rule.name] = rule
    return registry


def _rule(dice: random.Random, author: str, number: int) -> Rule:
    """Seven of ten name units, two an institution and a field, one a field at any institution."""
    kind = dice.random()
    source: dict[str, Json] = {"ratio": "0.8", "least": "2"}
    if kind < 0.7:
        units: list[Json] = [
            {"institution": dice.choice(_MEMBERS), "unit": f"U{dice.randrange(_UNITS)}@1"}
            for _ in range(dice.randint(1, 3))
        ]
        source["units"] = units
    else:
        source["fields"] = [dice.choice(_FIELDS)]
        if kind < 0.9:
            source["institutions"] = [dice.choice(_MEMBERS)]
    body: dict[str, Json] = {
        "code": f"R{number}",
        "from": "2026-01-01",
        "rounding": {"mode": "down", "step": "0.5"},
        "sources": [source],
        "target": f"U{dice.randrange(_UNITS)}@1",
        "title": dict(_NAMES),
        "until": "2030-01-01",
        "version": 1,
    }
    return rule_of(author, body, "2026-01-01T00:00:00Z")


def _lot(dice: random.Random) -> Facts:
    unit = f"U{dice.randrange(_UNITS)}@1"
    return Facts(dice.choice(_MEMBERS), unit, "4", "standard", "5", "2026-06-01", "")


def passbook_500() -> Figure:
    """Seconds for the statement of account of a learner with 500 lots; the peer reads the rows.

    The ledger holds ten times as many lots of others.
    """
    with TemporaryDirectory() as folder, small_bank(Path(folder)) as small:
        small.govern("policy.publish", alone=MOST_ALONE)
        mine, others = count(500), count(5000)
        for start in range(0, mine + others, 500):
            keys = range(start, min(start + 500, mine + others))
            names = [f"{'li' if n < mine else f'o{n % 50}'}-{n}" for n in keys]
            results = [result(name) for name in names]
            lots = [small.north.lot(one.source_key) for one in results]
            slots = small.port.slots(small.north, lots)
            now = small.bank.now()
            pairs = zip(results, slots, strict=True)
            small.port.submit([small.north.award(r, Decimal(4), s, now) for r, s in pairs])
        day = small.bank.now().date()
        gone = [small.north.lot(f"li-{n}") for n in range(0, mine, 5)]
        small.port.submit([small.north.lot_event("revoke", lot, "test", day) for lot in gone])
        account = small.bank.accounts.of_credential(_credential(small, f"li-{mine - 1}"))

        def ours() -> float:
            return seconds(lambda: small.bank.reckoning.passbook([account]))

        def peer() -> float:
            def rows() -> None:
                with small.bank._engine.connect() as connection:
                    query = select(lots_table).join(
                        credentials, credentials.c.lot == lots_table.c.lot
                    )
                    connection.execute(query.where(credentials.c.account == account)).all()

            return seconds(rows)

        return compare(ours, peer, "reading its rows", "s")


def _credential(small: SmallBank, key: str) -> str:
    index = small.bank.lots.get(small.north.lot(key)).award_index
    with small.bank._engine.connect() as connection:
        query = select(credentials.c.identifier).join(
            lots_table, credentials.c.lot == lots_table.c.lot
        )
        return str(connection.execute(query.where(lots_table.c.award_index == index)).scalar())


def rebuild_300k() -> Figure:
    """Entries a second folded anew from the ledger, against reading and hashing the same rows."""
    number = count(300_000)
    with TemporaryDirectory() as folder, small_bank(Path(folder)) as small:
        small.govern("policy.publish", alone=MOST_ALONE)
        _fill(small, number)
        size, path = small.bank.log.size(), Path(folder) / "bank.db"

        def ours() -> float:
            def work() -> None:
                assert small.bank.upkeep.rebuild(), "the table folded anew differs"

            return rate(size, work)

        def bare() -> float:
            def work() -> None:
                tree = Frontier()
                with closing(sqlite3.connect(path)) as database:
                    for (data,) in database.execute("SELECT data FROM entries ORDER BY idx"):
                        tree.append(leaf_hash(data))

            return rate(size, work)

        return compare(ours, bare, "sqlite3, each row hashed into a tree", "entries/s")


def lot_map_100k() -> Figure:
    """Lots a second into the map of lots, kept; the peer hashes as many records and leaves."""
    number = count(100_000)
    with TemporaryDirectory() as folder, small_bank(Path(folder)) as small:
        small.govern("policy.publish", alone=MOST_ALONE)
        _fill(small, number)
        records = [LotRecord.of(lot.lot, lot.standing) for lot in small.bank.lots.each()]

        def ours() -> float:
            return rate(number, lambda: make_map(small.bank._engine))

        def peer() -> float:
            return rate(number, lambda: [sha256(record.leaf).digest() for record in records])

        small.bank.lot_map.commit()
        size = len(small.bank.lot_map.prove(records[0].lot).partition("\n\n")[0])
        figure = compare(ours, peer, "hashing their records alone", "lots/s")
        return replace(figure, note=f"a proof of {size} bytes, beside the root's receipt")


def _fill(small: SmallBank, number: int) -> None:
    """Awards with signatures that nobody checked, so that filling takes less than measuring."""
    small.bank._sequencer.verify = lambda signed: None
    slots = 100_000
    (sample,) = [small.offer(small.north, result("sample"))]
    body = dict(sample.signed.statement.body)
    for start in range(0, number, 5000):
        batch = []
        for turn in range(start, min(number, start + 5000)):
            lot = b64u_encode(turn.to_bytes(16, "big"))
            status: Json = {"index": turn % slots, "list": 2 + turn // slots}
            made = Statement.make(small.north.did, "award", {**body, "lot": lot, "status": status})
            batch.append(SignedStatement(made, sample.signed.signatures))
        small.bank.intake.append(batch)
