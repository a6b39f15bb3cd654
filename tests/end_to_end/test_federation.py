"""Two real banks over HTTP: a lot moves once, whatever becomes of the messages between them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient

from bank.api.app import make_app
from bank.errors import BadRequest
from bank.federation import Federation, HttpSister, SisterUnreachable
from bank.federation.sister import PATH
from bank.http_signature import API, FEDERATION, Target, sign_request
from bank.opening import open_bank
from keys import PrivateKey, Signer, b64u_encode, encode, write_keystore
from ledger import Lot, LotState, Statement
from ledger.conservation import conservation
from ledger.sequencer import Placed
from tests.bank_kit import SmallBank, small_bank


@dataclass
class Pair:
    """Home and sister, agreed, and a wire between them that can be made bad."""

    home: SmallBank
    sister: SmallBank
    wire: Wire

    @property
    def here(self) -> Federation:
        return Federation(self.home.bank, self.home.bank.chance.name)

    @property
    def there(self) -> Federation:
        return Federation(self.sister.bank, self.sister.bank.chance.name)

    def reach(self, did: str) -> HttpSister:
        assert did == self.sister.bank.settings.did
        http = httpx.Client(transport=self.wire, base_url="http://sister.example")
        bank = self.home.bank
        return HttpSister(http, bank.signer, bank.now, bank.chance.name)

    def settle(self) -> list[str]:
        return [moved.outcome for moved in self.here.settle(self.reach)]

    def where(self, lot: Lot, transfer: str) -> tuple[str, str]:
        there = self.sister.bank.lots.find(transfer)
        return self.home.bank.lots.get(lot.lot).state.value, there.state.value if there else ""

    def one_custodian(self, lot: Lot, transfer: str) -> bool:
        """Whether at most one bank lets the lot be used, and one has it or will."""
        here, there = self.where(lot, transfer)
        return (here == "active") + (there == "active") <= 1 and (here, there) != (
            "transferred",
            "",
        )


class Wire(httpx.BaseTransport):
    """The sister's app; `loss` says what becomes of each request: before, after, or nothing."""

    def __init__(self, app: Any) -> None:
        self._client = TestClient(app, base_url="http://sister.example")
        self.loss: Callable[[], str] = lambda: ""
        self.count = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.count += 1
        loss = self.loss()
        if loss == "before":
            raise httpx.ConnectError("lost on the way there")
        answer = self._client.request(
            request.method,
            request.url.path,
            content=request.read(),
            headers={k: v for k, v in request.headers.items() if k not in ("host",)},
        )
        if loss == "twice":
            self._client.post(request.url.path, content=request.content, headers=request.headers)
        if loss == "after":
            raise httpx.ReadError("lost on the way back")
        return httpx.Response(answer.status_code, content=answer.content)


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    with ExitStack() as stack:
        banks = [
            stack.enter_context(small_bank(tmp_path / name, f"{name}.example"))
            for name in ("home", "sister")
        ]
        parties: Any = [Federation(b.bank, b.bank.chance.name).party() for b in banks]
        body = {"banks": parties, "from": "2020-01-01", "until": "2100-01-01"}
        statement = Statement.make(banks[0].bank.settings.did, "agreement", body)
        signed = statement.sign(*(made.governance for made in banks))
        for made in banks:
            (outcome,) = made.bank.intake.append([signed])
            assert isinstance(outcome, Placed), outcome
        yield Pair(banks[0], banks[1], Wire(make_app(banks[1].bank)))


def test_a_lot_moves_and_its_credits_with_it(pair: Pair) -> None:
    lot, _ = pair.home.award("li-1")
    transfer = pair.here.send(lot.lot, pair.sister.bank.settings.did)
    assert pair.where(lot, transfer) == ("pending-out", "")
    assert pair.settle() == ["taken"]
    assert pair.where(lot, transfer) == ("transferred", "active")
    there = pair.sister.bank.lots.get(transfer)
    assert (there.facts, there.origin) == (lot.facts, lot.lot)
    assert pair.settle() == []
    # It is used there like any other: nothing of it can be used at home.
    until, claim = "2099-01-01T00:00:00Z", "A" * 43
    used = pair.sister.south.use("reserve", transfer, application=claim, until=until)
    assert pair.sister.submit(used)
    late = pair.home.south.use("reserve", lot.lot, application=claim, until=until)
    assert "is transferred by entry" in pair.home.declined(late)
    for made in (pair.home, pair.sister):
        assert made.bank.upkeep.audit().passed
        assert made.bank.upkeep.rebuild()
        assert conservation(made.bank.log.entries()).balances


@pytest.mark.parametrize("loss", ["before", "after"])
def test_a_lost_message_is_answered_by_asking_again(pair: Pair, loss: str) -> None:
    lot, _ = pair.home.award("li-1")
    transfer = pair.here.send(lot.lot, pair.sister.bank.settings.did)
    pair.wire.loss = lambda: loss
    for _ in range(3):
        (moved,) = pair.here.settle(pair.reach)
        assert (moved.outcome, "asking again is safe" in moved.reason) == ("waiting", True)
        assert pair.one_custodian(lot, transfer)
    pair.wire.loss = lambda: ""
    assert pair.settle() == ["taken"]
    assert pair.where(lot, transfer) == ("transferred", "active")
    kinds = pair.sister.bank.upkeep.audit().kinds
    assert kinds["transfer.in"] == 1


def test_a_repeated_request_gets_the_same_answer(pair: Pair) -> None:
    lot, _ = pair.home.award("li-1")
    transfer = pair.here.send(lot.lot, pair.sister.bank.settings.did)
    pair.wire.loss = lambda: "twice"
    assert pair.settle() == ["taken"]
    assert pair.sister.bank.upkeep.audit().kinds["transfer.in"] == 1
    assert pair.where(lot, transfer) == ("transferred", "active")


def test_too_late_it_comes_home(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    lot, _ = pair.home.award("li-1")
    transfer = pair.here.send(lot.lot, pair.sister.bank.settings.did, days=1)
    for made in (pair.home, pair.sister):
        clock = made.bank._clock
        later = lambda clock=clock: clock() + timedelta(days=2)  # noqa: E731
        monkeypatch.setattr(made.bank, "_clock", later)
        monkeypatch.setattr(made.bank._sequencer, "_clock", later)
    # Home alone never takes it back, however late it is.
    pair.wire.loss = lambda: "before"
    assert pair.settle() == ["waiting"]
    assert pair.where(lot, transfer) == ("pending-out", "")
    pair.wire.loss = lambda: ""
    assert pair.settle() == ["returned"]
    assert pair.where(lot, transfer) == ("active", "refused")
    assert pair.sister.bank.upkeep.audit().passed
    again = pair.here.send(lot.lot, pair.sister.bank.settings.did)
    assert pair.settle() == ["taken"]
    assert pair.where(lot, again) == ("transferred", "active")


def test_a_bank_killed_at_any_step_goes_on(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every statement of a transfer fails once before it is appended, and once after."""
    done = 0
    for when in ("before", "after"):
        for kind in ("transfer.out", "transfer.in", "transfer.final"):
            done += 1
            lot, _ = pair.home.award(f"li-{done}")
            with monkeypatch.context() as patch:
                for made in (pair.home, pair.sister):
                    patch.setattr(made.bank, "state", _dying(made.bank.state, kind, when))
                transfer = _carry_on(pair, lot)
            assert pair.where(lot, transfer) == ("transferred", "active"), (kind, when)
    for made in (pair.home, pair.sister):
        assert made.bank.upkeep.audit().passed
    assert pair.sister.bank.upkeep.audit().kinds["transfer.in"] == done


class Killed(Exception):
    """Stands for the end of a process."""


def _dying(state: Callable[..., Any], kind: str, when: str) -> Callable[..., Any]:
    died = []

    def dying(asked: str, body: Any) -> Any:
        if asked != kind or died:
            return state(asked, body)
        died.append(True)
        if when == "after":
            state(asked, body)
        raise SisterUnreachable("killed") if asked == "transfer.in" else Killed

    return dying


def _carry_on(pair: Pair, lot: Lot) -> str:
    """Send and settle until it is done, as a bank does that is started again."""
    transfer = ""
    for _ in range(5):
        now = pair.home.bank.lots.get(lot.lot)
        if now.state is LotState.TRANSFERRED:
            return transfer
        try:
            if now.state is LotState.ACTIVE:
                pair.here.send(lot.lot, pair.sister.bank.settings.did)
            transfer = pair.home.bank.lots.get(lot.lot).standing.claim
            pair.settle()
        except Killed:
            assert not transfer or pair.one_custodian(lot, transfer)
    raise AssertionError("the transfer never came to an end")


def test_a_hundred_transfers_and_uses_of_one_lot_at_once(pair: Pair) -> None:
    lot, _ = pair.home.award("li-1")
    to, until = pair.sister.bank.settings.did, "2099-01-01T00:00:00Z"
    won, lost = [], []
    start = threading.Barrier(100)

    def attempt(number: int) -> None:
        start.wait()
        try:
            if number % 2:
                won.append(pair.here.send(lot.lot, to))
            else:
                claim = b64u_encode(number.to_bytes(32, "big"))
                used = pair.home.south.use("reserve", lot.lot, application=claim, until=until)
                (outcome,) = pair.home.port.submit([used])
                (won if isinstance(outcome, Placed) else lost).append(
                    getattr(outcome, "reason", "")
                )
        except BadRequest as error:
            lost.append(str(error))

    threads = [threading.Thread(target=attempt, args=(number,)) for number in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(won), len(lost)) == (1, 99)
    assert all("is on its way to" in text or "is reserved by" in text for text in lost), lost
    assert pair.home.bank.upkeep.audit().passed


def test_who_may_ask(pair: Pair) -> None:
    lot, _ = pair.home.award("li-1")
    pair.here.send(lot.lot, pair.sister.bank.settings.did)
    (pending,) = pair.here.pending()
    body = encode({"receipt": pair.here._receipt(pending.changed)})
    http = TestClient(make_app(pair.sister.bank), base_url="http://sister.example")
    now, own = pair.home.bank.now(), pair.home.bank.signer

    def sign(
        body: bytes = body,
        key: Signer = own,
        at: datetime = now,
        path: str = PATH,
        authority: str = "sister.example",
        tag: str = FEDERATION,
    ) -> dict[str, str]:
        target = Target("POST", authority, path)
        return sign_request(target, body, key, tag, pair.home.bank.chance.name(), at)

    good = sign()
    bad = {
        "not signed": {},
        "another key": sign(key=PrivateKey.generate()),
        "another body": sign(body + b" "),
        "another path": sign(path="/statements"),
        "another bank": sign(authority="third.example"),
        "an institution's": sign(tag=API),
        "long ago": sign(at=now - timedelta(minutes=6)),
        "tomorrow": sign(at=now + timedelta(days=1)),
        "no digest": {k: v for k, v in good.items() if k.lower() != "content-digest"},
    }
    for name, headers in bad.items():
        answer = http.post(PATH, content=body, headers=headers)
        assert answer.status_code == 401, name
        assert answer.json()["detail"].count("\n") == 0
    assert pair.sister.bank.upkeep.audit().kinds.get("transfer.in") is None
    # The control: as it should be; but the very same request once only.
    assert http.post(PATH, content=body, headers=good).status_code == 200
    again = http.post(PATH, content=body, headers=good)
    assert (again.status_code, "seen before" in again.text) == (401, True)
    assert http.post(PATH, content=body, headers=sign()).status_code == 200
    for wrong in (b"{}", b'{"receipt":"x"}', b"[]"):
        assert http.post(PATH, content=wrong, headers=sign(wrong)).status_code == 400
    # An award's receipt is no transfer, and one that was changed no receipt.
    award = pair.here._receipt(lot.award_index)
    for text in (award, pair.here._receipt(pending.changed).replace("index", "indeks")):
        wrong = encode({"receipt": text})
        assert http.post(PATH, content=wrong, headers=sign(wrong)).status_code == 400


def test_what_can_not_be_sent_says_why(pair: Pair) -> None:
    lot, _ = pair.home.award("li-1")
    with pytest.raises(BadRequest, match=r"no agreement with did:web:other\.example"):
        pair.here.send(lot.lot, "did:web:other.example")
    day = pair.home.bank.now().date()
    pair.home.submit(pair.home.north.lot_event("suspend", lot.lot, "review", day))
    with pytest.raises(BadRequest, match=f"the lot {lot.lot} is suspended; it cannot transfer.out"):
        pair.here.send(lot.lot, pair.sister.bank.settings.did)


def test_from_the_command_line(
    tmp_path: Path, run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from bank.cli.background import served

    monkeypatch.chdir(tmp_path)

    def do(*arguments: str, code: int = 0) -> str:
        done = run(*arguments, CREDITBANK_PASSPHRASE="p")
        assert done.returncode == code, done.stdout + done.stderr
        return str(done.stdout if code == 0 else done.stderr)

    with ExitStack() as stack:
        for name in ("home", "sister"):
            made = stack.enter_context(small_bank(tmp_path / name, f"{name}.example"))
            if name == "home":
                lot = made.award("li-1")[0].lot
            write_keystore(tmp_path / f"{name}.keystore", made.governance.seed, "p")
    do("federation", "party", "--data", "sister", "--out", "sister.json")
    days = ("--from", "2020-01-01", "--until", "2100-01-01")
    do("federation", "agree", "sister.json", *days, "--data", "home")
    do("governance", "sign", "agreement.json", "--key", "home.keystore")
    told = do("governance", "submit", "agreement.json", "--data", "home", code=1)
    assert "an agreement takes 1 signatures of did:web:sister.example" in told
    do("governance", "sign", "agreement.json", "--key", "sister.keystore")
    for name in ("home", "sister"):
        assert "agreement is in the ledger" in do(
            "governance", "submit", "agreement.json", "--data", name
        )
    assert "no lot is on its way" in do("federation", "settle", "--data", "home")
    to = ("--to", "did:web:sister.example", "--data", "home")
    gone = ("--url", "did:web:sister.example=http://127.0.0.1:9")
    waiting = do("federation", "send", lot, *to, *gone)
    assert "waiting: the sister bank at http://127.0.0.1:9" in waiting
    assert "is on its way to did:web:sister.example" in do(
        "federation", "send", lot, *to, *gone, code=1
    )
    sister = open_bank(tmp_path / "sister", "p")
    try:
        with served(make_app(sister)) as url:
            there = ("--url", f"did:web:sister.example={url}", "--data", "home")
            assert do("federation", "settle", *there).endswith(": taken\n")
    finally:
        sister.close()
    for name in ("home", "sister"):
        assert "audit passed" in do("ledger", "audit", "--data", name)
        assert "every credit is accounted for" in do("regulator", "conservation", "--data", name)
