"""An institution's verbs, against a bank in a folder and against one behind a URL alike."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bank.institution import RECORDS
from bank.opening import API_KEY, open_bank
from bank.service import Bank
from keys import PrivateKey, encode, write_keystore
from ledger import Lot, LotState
from tests.api_kit import new_key
from tests.bank_kit import LAW_UNIT, QUALIFICATION, SOUTH_UNIT, USCC, SmallBank, small_bank
from tests.pages_kit import bank_pages

Do = Callable[..., str]
CSV = "学号,姓名,课程代码,课程名称,英文名称,领域,等级,学分,学时,成绩,学期,认定日期\n"
MAPPING = """
institution = "north"
source_key = "{学号}"
credits = "{学分}"
grade = "{成绩}"
awarded = "{认定日期}"
[learner]
key = "{学号}"
name = "{姓名}"
[unit]
code = "{课程代码}"
title_en = "{英文名称}"
title_zh = "{课程名称}"
field = "{领域}"
level = "{等级}"
hours = "{学时}"
framework = "cq-lof"
scheme = "standard-credit"
"""


@pytest.fixture
def small(tmp_path: Path) -> Iterator[SmallBank]:
    """With the institutions' own folders beside it, and a qualification of the south."""
    with small_bank(tmp_path / "var") as made:
        cost = {"operations": 1, "memory": 8 * 1024 * 1024}
        tables = []
        for own in (made.north, made.south):
            folder = tmp_path / "members" / own.slug
            folder.mkdir(parents=True)
            assert isinstance(own.signer, PrivateKey)
            assert isinstance(own.approver, PrivateKey)
            write_keystore(folder / "signing.keystore", own.signer.seed, "p", **cost)
            write_keystore(folder / "approver.keystore", own.approver.seed, "p", **cost)
            write_keystore(folder / "records.keystore", bytes(32), "p", RECORDS, **cost)
            write_keystore(
                folder / f"{API_KEY}.keystore", new_key(made.bank, own.did).seed, "p", **cost
            )
            tables.append(
                f'[[institution]]\nslug = "{own.slug}"\nuscc = "{USCC[own.slug]}"\n'
                f'capacities = ["awarding"]\nname = {{ en = "{own.slug}", zh = "{own.slug}" }}\n'
                'grant = { fields = ["*"], level = "8", '
                'from = "2020-01-01", until = "2100-01-01" }\n'
            )
        (tmp_path / "institutions.toml").write_text("\n".join(tables))
        (tmp_path / "mapping.toml").write_text(MAPPING)
        made.submit(made.state(made.south, "qualification.publish", **QUALIFICATION))
        yield made


@pytest.fixture(params=["folder", "url"])
def do(
    request: pytest.FixtureRequest,
    small: SmallBank,
    run: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Do]:
    """Run a verb of an institution; the last two arguments say where the bank is."""
    monkeypatch.chdir(tmp_path)
    common = ("--institutions", "institutions.toml", "--members", "members")

    def call(place: tuple[str, ...]) -> Do:
        def verb(*arguments: str, code: int = 0) -> str:
            done: subprocess.CompletedProcess[str] = run(
                *arguments, *common, *place, CREDITBANK_PASSPHRASE="p"
            )
            assert done.returncode == code, done.stdout + done.stderr
            return done.stdout + done.stderr

        return verb

    if request.param == "folder":
        yield call(("--data", "var"))
        return
    with bank_pages(small) as site:
        yield call(("--bank", site.url, "--domain", "cq.example"))


def now(small: SmallBank, lot: str) -> Lot:
    """The lot as it stands in the database, whoever wrote it."""
    reopened: Bank = open_bank(small.bank.settings.folder, "p")
    try:
        return reopened.lots.get(lot)
    finally:
        reopened.close()


def show(small: SmallBank, folder: Path, name: str, lot: Lot, credential: dict[str, Any]) -> str:
    """The file that a learner shows."""
    path = folder / f"{name}.bundle.json"
    path.write_bytes(encode(small.bundle(credential, lot.award_index)))
    return str(path)


def test_a_credential_is_recognised(do: Do, small: SmallBank, tmp_path: Path) -> None:
    lot, credential = small.award("li-1")
    small.bank.trust.export([small.governance])
    file = show(small, tmp_path, "one", lot, credential)
    told = do("member", "convert", file, "--slug", "south", "--learner", "S-7")
    assert "the conversion is in the ledger" in told
    assert now(small, lot.lot).state is LotState.CONVERTED
    again = do("member", "convert", file, "--slug", "south", "--learner", "S-7")
    assert "stood in the ledger already" in again
    derived = now(small, small.south.conversion(lot.lot))
    assert (derived.facts.credits, derived.origin) == ("3", lot.lot)


def test_an_application_is_taken_up_reserved_and_redeemed(
    do: Do, small: SmallBank, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """By accounts where the bank is here, by what the learner shows where it is elsewhere."""
    remote = "url" in request.node.name
    first, one = small.award("wu-1", SOUTH_UNIT, "3")
    second, two = small.award("wu-2", LAW_UNIT)
    small.bank.trust.export([small.governance])
    files = [
        show(small, tmp_path, "one", first, one),
        show(small, tmp_path, "two", second, two),
    ]
    where = ("--slug", "south")
    applicant = files if remote else small.bank.accounts.names()
    asked = ("member", "apply", "--qualification", "DIP@1", "--learner", "S-1", *where)
    told = do(*asked, *applicant)
    assert "DIP@1 is met" in told
    assert "2 lots are reserved" in do("member", "reserve", *where)
    assert now(small, first.lot).state is LotState.RESERVED
    assert "DIP@1 is conferred" in do("member", "redeem", *where)
    assert now(small, first.lot).state is now(small, second.lot).state is LotState.REDEEMED


def test_awards_are_corrected_again_and_again(do: Do, small: SmallBank, tmp_path: Path) -> None:
    lots = [small.award(f"{number}-1")[0] for number in "abc"]
    file = tmp_path / "results.csv"

    def write(*rows: tuple[str, str, str]) -> None:
        unit = "CS101,计算,Computing,ict,5"
        lines = [f"{key},李明,{unit},{n},64,{g},春,2024-07-01\n" for key, n, g in rows]
        file.write_text(CSV + "".join(lines))

    verb = (
        *("member", "correct", str(file), "--mapping", "mapping.toml"),
        *("--slug", "north", "--reason", "regraded"),
    )
    write(("a-1", "4", "85"), ("b-1", "4", "72"), ("c-1", "4", "90"))
    told = do(*verb)
    assert "2 corrected, 1 as they were, 0 never awarded" in told, told
    assert "0 corrected, 3 as they were" in do(*verb)
    write(("b-1", "4", "85"))
    assert "1 corrected" in do(*verb)
    write(("b-1", "3.5", "72"))
    assert "1 corrected" in do(*verb)
    assert "0 corrected, 1 as they were" in do(*verb)
    chain = [lots[1].lot]
    from ledger import Entry

    while now(small, chain[-1]).state is LotState.SUPERSEDED:
        entry = Entry.parse(small.bank.log.entry(now(small, chain[-1]).changed))
        chain.append(entry.signed.statement.body["successor"]["lot"])  # type: ignore[index,call-overload,arg-type]
    assert len(set(chain)) == len(chain) == 4
    assert now(small, chain[-1]).facts.credits == "3.5"
    write(("z-9", "4", "85"))
    assert "line 2 has no award" in do(*verb, code=1)


def test_an_appeal_is_lodged_listed_and_decided_by_others(
    small: SmallBank, run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from datetime import date

    monkeypatch.chdir(tmp_path)

    def do(*arguments: str, code: int = 0) -> str:
        done = run(*arguments, "--data", "var", CREDITBANK_PASSPHRASE="p")
        assert done.returncode == code, done.stdout + done.stderr
        return str(done.stdout + done.stderr)

    lot, _ = small.award("li-1")
    index = small.submit(
        small.north.lot_event("suspend", lot.lot, "review", date.fromisoformat("2090-01-01"))
    )
    (tmp_path / "grounds.txt").write_text("I was there.")
    assert "no appeals" in do("appeal", "list")
    told = do("appeal", "file", str(index), "--grounds", "grounds.txt")
    name = told.split()[2]
    assert "entry 0 is no suspension" in do(
        "appeal", "file", "0", "--grounds", "grounds.txt", code=1
    )
    assert f"{name}  against {small.north.did}" in do("appeal", "list")
    panel = ("--institutions", "institutions.toml", "--members", "members", "--reason", "seen")
    told = do("appeal", "decide", name, "--outcome", "upheld", "--slug", "north", *panel, code=1)
    assert "decided by others" in told
    told = do("appeal", "decide", name, "--outcome", "upheld", "--slug", "south", *panel)
    assert f"the appeal {name} is upheld" in told
    assert "upheld 20" in do("appeal", "list")
    told = do("appeal", "decide", name, "--outcome", "perhaps", "--slug", "south", *panel, code=1)
    assert "outcome" in told


def test_a_document_is_added_to_a_record_later(
    small: SmallBank, run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    def do(*arguments: str, form: str, code: int = 0) -> str:
        (tmp_path / "form.txt").write_text(form)
        done = run(*arguments, "--from", "form.txt", "--data", "var", CREDITBANK_PASSPHRASE="p")
        assert done.returncode == code, done.stdout + done.stderr
        return str(done.stdout + done.stderr)

    number = "number: 11010519491231002X"
    first = do("learner", "open", form="name: 李明").strip()
    second = do("learner", "open", form="name: 李明").strip()
    assert first != second
    assert "is identified" in do("learner", "identify", first, form=number)
    assert "had this document already" in do("learner", "identify", first, form=number)
    assert do("learner", "find", form=number).splitlines()[0] == first
    assert "merge them" in do("learner", "identify", second, form=number, code=1)
    other = do("learner", "identify", first, form="kind: passport/DEU\nnumber: C01X0006H", code=1)
    assert "another identity document already" in other
    events = [event.kind for event in small.bank.learners.events(first)]
    assert events == ["opened", "identified"]
