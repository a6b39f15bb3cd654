"""A bank with everybody who might call it, and requests as each of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.testclient import TestClient

from bank.api.app import make_app
from bank.authorization.model import Caller
from bank.federation import Federation
from bank.http_signature import FEDERATION
from bank.limits import Limit, Limits
from bank.pages import Demo
from bank.sign_in import Role
from keys import PrivateKey, Signer
from ledger import Statement
from ledger.sequencer import Placed
from tests.api_kit import Signing, new_key, new_token
from tests.bank_kit import SmallBank, small_bank

_MANY = Limit(burst=100_000, per_second=100_000)
_FILLED = {"{index}": "0", "{rest:path}": "0/000", "{number}": "1"}


@dataclass
class Site:
    """A bank with somebody of every kind who might call it."""

    small: SmallBank
    http: TestClient
    app: FastAPI
    sister: Signer
    owner: str
    wallet: str
    keys: dict[Caller, PrivateKey]
    people: dict[Caller, str]

    def call(self, caller: Caller | str, method: str, path: str) -> Any:
        """What a caller is answered at a route, with something in place of its parameters."""
        address = re.sub(r"\{[^}]+\}", lambda found: _FILLED.get(found[0], "x"), path)
        return self.ask(caller, method, address)

    def ask(
        self,
        caller: Caller | str,
        method: str,
        address: str,
        content: bytes | None = None,
        given: Mapping[str, str] | None = None,
    ) -> Any:
        """What a caller is answered; `session` calls by a session of an institution's key."""
        self.http.cookies.clear()
        headers = dict(given or {})
        auth: Signing | None = None
        bank = self.small.bank
        match caller:
            case Caller.INSTITUTION | Caller.BANK:
                auth = Signing(bank, self.keys[caller])
            case Caller.SISTER:
                auth = Signing(bank, self.sister, FEDERATION)
            case Caller.WITNESS:
                auth = Signing(bank, self.keys[caller])
            case Caller.OWNER:
                headers["Authorization"] = f"Bearer {self.owner}"
            case Caller.WALLET:
                headers["Authorization"] = f"Bearer {self.wallet}"
            case "session":
                headers["Authorization"] = f"Bearer {new_token(bank, self.small.north.did)}"
            case Caller.ANONYMOUS:
                pass
            case _:
                token = bank.sign_in.begin(self.people[Caller(caller)])
                self.http.cookies.set("session", token)
                session = bank.sign_in.session(token)
                assert session is not None
                headers["X-Form-Token"] = session.csrf
        return self.http.request(method, address, content=content, headers=headers, auth=auth)


@contextmanager
def everybody(folder: Path) -> Iterator[Site]:
    """A bank in `folder` with a sister, members, staff and a learner, and no limits to feel."""
    with ExitStack() as stack:
        small, other = (
            stack.enter_context(small_bank(folder / name, f"{name}.example"))
            for name in ("home", "sister")
        )
        bank = small.bank
        parties: Any = [Federation(b.bank, b.bank.chance.name).party() for b in (small, other)]
        body = {"banks": parties, "from": "2020-01-01", "until": "2100-01-01"}
        statement = Statement.make(bank.settings.did, "agreement", body)
        (outcome,) = bank.intake.append([statement.sign(small.governance, other.governance)])
        assert isinstance(outcome, Placed), outcome
        limits = Limits(
            address=_MANY,
            key=_MANY,
            signed=_MANY,
            door=_MANY,
            trial=Limit(burst=100, per_second=100),
        )
        bank.settings = bank.settings.model_copy(update={"limits": limits})
        _, credential = small.award("li-1")
        identifier = str(credential["id"])
        owner = bank.vault.token(bank.accounts.of_credential(identifier))
        offer = bank.wallets.offer(owner, [identifier])
        wallet, _ = bank.wallets.redeem(offer.code, offer.tx_code)
        people = {}
        for role in Role:
            scope = "north" if role.is_institution else ""
            person = bank.sign_in.admit(f"walks-{role}", f"Walks {role}", role, scope)
            people[Caller(role.value)] = person.person
        keys = {
            Caller.INSTITUTION: new_key(bank, small.north.did),
            Caller.BANK: new_key(bank, bank.settings.did),
            Caller.WITNESS: PrivateKey.generate(),
        }
        app = make_app(bank, Demo("key", []))
        http = TestClient(
            app, raise_server_exceptions=False, follow_redirects=False, base_url="http://localhost"
        )
        yield Site(small, http, app, other.bank.signer, owner, wallet, keys, people)
