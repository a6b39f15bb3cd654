"""Requests to the API: signatures, nonces, keys, sessions, and how each of them is refused."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from bank.api.app import make_app
from bank.authorization.nonces import Nonces
from bank.client import BankUnreachable, RemoteBank
from bank.errors import BadRequest, NoSuchThing, NotAllowed
from bank.http_signature import API, FEDERATION, Target, check_request, sign_request
from bank.limits import Limit, Limits
from bank.service import Bank
from bank.tables import request_nonces
from keys import Json, PrivateKey, Signer, encode, parse
from ledger import Statement
from ledger.sequencer import Declined, Placed
from tests.api_kit import Signing, new_key, new_token
from tests.bank_kit import SmallBank, result, small_bank

HOST = "cq.example"
ORDER = 2**252 + 27742317777372353535851937790883648493
BODY = b'{"lots":[]}'
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


@dataclass
class Place:
    """A bank, and a client that sends what it is told, headers and all."""

    small: SmallBank
    http: TestClient
    key: PrivateKey

    @property
    def bank(self) -> Bank:
        return self.small.bank

    def sign(
        self,
        body: bytes = BODY,
        *,
        path: str = "/slots",
        query: str | None = None,
        authority: str = HOST,
        method: str = "POST",
        key: Signer | None = None,
        at: timedelta = timedelta(),
        tag: str = API,
        nonce: str | None = None,
    ) -> dict[str, str]:
        target = Target(method, authority, path, query)
        nonce = self.bank.chance.name() if nonce is None else nonce
        return sign_request(target, body, key or self.key, tag, nonce, self.bank.now() + at)

    def slots(self, headers: dict[str, str], body: bytes = BODY) -> tuple[int, str]:
        answer = self.http.post("/slots", content=body, headers=headers)
        assert answer.status_code < 500, answer.text
        return answer.status_code, str(answer.json().get("detail", ""))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with small_bank(tmp_path_factory.mktemp("bank")) as small:
        http = TestClient(make_app(small.bank), base_url=f"http://{HOST}", follow_redirects=False)
        yield Place(small, http, new_key(small.bank, small.north.did))


def test_the_signature_is_rfc_9421s() -> None:
    """Checked here byte by byte against the specification's own signature base."""
    key, body = PrivateKey.from_seed(bytes(32)), b'{"hello": "world"}'
    target = Target("POST", "bank.example:8400", "/statements", "a=b")
    headers = sign_request(target, body, key, API, "n" * 16, NOW)
    named = {name.lower(): value for name, value in headers.items()}
    parameters = named["signature-input"].removeprefix("creditbank=")
    seconds = int(NOW.timestamp())
    assert f";created={seconds};" in parameters
    assert f";expires={seconds + 300};" in parameters
    assert ';nonce="nnnnnnnnnnnnnnnn"' in parameters
    assert f';tag="{API}"' in parameters
    base = "\n".join(
        (
            '"@method": POST',
            '"@authority": bank.example:8400',
            '"@path": /statements',
            f'"content-digest": {named["content-digest"]}',
            '"@query": ?a=b',
            f'"@signature-params": {parameters}',
        )
    )
    value = base64.b64decode(named["signature"].removeprefix("creditbank=:").removesuffix(":"))
    key.public_key.verify(base.encode(), value)
    multikey = key.public_key.multikey
    signed = check_request(target, named, API, multikey.__eq__, NOW)
    assert (signed.key, signed.nonce) == (multikey, "n" * 16)
    signed.check_body(body)
    with pytest.raises(NotAllowed):
        signed.check_body(body + b" ")
    with pytest.raises(NotAllowed):
        check_request(target, named, API, lambda key: False, NOW)


def test_a_signed_request_is_let_in_once(place: Place) -> None:
    headers = place.sign()
    assert place.slots(headers) == (200, "")
    status, said = place.slots(headers)
    assert (status, "seen before" in said) == (401, True)
    # At another server of the same bank too, and after a restart.
    other = TestClient(make_app(place.bank), base_url=f"http://{HOST}")
    assert other.post("/slots", content=BODY, headers=headers).status_code == 401
    with pytest.raises(NotAllowed, match="seen before"):
        Nonces(place.bank._engine, place.bank.now).spend(
            check_request(
                Target("POST", HOST, "/slots"), headers, API, lambda key: True, place.bank.now()
            ),
            API,
        )
    assert place.slots(place.sign()) == (200, "")


def test_nonces_are_kept_no_longer_than_they_matter(tmp_path: Path) -> None:
    with small_bank(tmp_path) as small:
        now = [small.bank.now()]
        nonces = Nonces(small.bank._engine, lambda: now[0])
        target = Target("POST", HOST, "/slots")

        def spend() -> None:
            name = small.bank.chance.name()
            headers = sign_request(target, b"", small.governance, API, name, now[0])
            nonces.spend(check_request(target, headers, API, lambda key: True, now[0]), API)

        for _ in range(5):
            spend()
        query = select(func.count()).select_from(request_nonces)
        with small.bank._engine.connect() as connection:
            assert connection.execute(query).scalar() == 5
        now[0] += timedelta(minutes=6)
        spend()
        with small.bank._engine.connect() as connection:
            assert connection.execute(query).scalar() == 1


def without(headers: dict[str, str], name: str) -> dict[str, str]:
    return {key: value for key, value in headers.items() if key.lower() != name}


def covering(place: Place, *names: str) -> dict[str, str]:
    """Signed well, but covering only some components."""
    import http_message_signatures
    from http_message_signatures.algorithms import ED25519

    from bank.http_signature import _Message

    made = http_message_signatures.HTTPMessageSigner(signature_algorithm=ED25519)
    message = _Message("POST", f"https://{HOST}/slots", dict(place.sign()))
    message.headers = {"Content-Digest": place.sign()["Content-Digest"]}
    now = place.bank.now()
    prepared = made.prepare(
        message,
        key_id=place.key.public_key.multikey,
        created=now,
        expires=now + timedelta(minutes=5),
        nonce=place.bank.chance.name(),
        tag=API,
        covered_component_ids=names,
        use_existing_digest=True,
    )
    made.apply(message, prepared, place.key.sign(prepared.signature_base))
    return dict(message.headers)


ALL = ("@method", "@authority", "@path", "content-digest")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("unsigned", "sign the request"),
        ("changed body", "digest"),
        ("changed path", "not signed as it should be"),
        ("changed authority", "not signed as it should be"),
        ("changed method", "not signed as it should be"),
        ("added query", "@query"),
        ("expired", "more than five minutes off"),
        ("future", "more than five minutes off"),
        ("another tag", "not signed as it should be"),
        ("unknown key", "not signed as it should be"),
        ("short nonce", "nonce of 16"),
        ("long nonce", "nonce of 16"),
        ("no digest", "sign the request"),
        ("no signature", "sign the request"),
        ("no input", "sign the request"),
        ("huge input", "over 2048"),
        ("garbage", "not signed as it should be"),
    ],
)
def test_what_is_not_signed_as_it_should_be(place: Place, name: str, said: str) -> None:
    long = timedelta(minutes=5, seconds=2)
    made: dict[str, Any] = {
        "unsigned": dict,
        "changed body": lambda: place.sign(b'{"lots":[""]}'),
        "changed path": lambda: place.sign(path="/statements"),
        "changed authority": lambda: place.sign(authority="other.example"),
        "changed method": lambda: place.sign(method="PUT"),
        "added query": lambda: place.sign(),
        "expired": lambda: place.sign(at=-long),
        "future": lambda: place.sign(at=long),
        "another tag": lambda: place.sign(tag=FEDERATION),
        "unknown key": lambda: place.sign(key=PrivateKey.generate()),
        "short nonce": lambda: place.sign(nonce="short"),
        "long nonce": lambda: place.sign(nonce="n" * 65),
        "no digest": lambda: without(place.sign(), "content-digest"),
        "no signature": lambda: without(place.sign(), "signature"),
        "no input": lambda: without(place.sign(), "signature-input"),
        "huge input": lambda: {**place.sign(), "Signature-Input": "a" * 3000},
        "garbage": lambda: {**place.sign(), "Signature-Input": "creditbank=((;;=)"},
    }
    path = "/slots?all=1" if name == "added query" else "/slots"
    answer = place.http.post(path, content=BODY, headers=made[name]())
    assert answer.status_code == 401, answer.text
    assert said in answer.json()["detail"].replace("Content-Digest", "digest"), answer.text
    if said == "sign the request":
        assert 'tag="creditbank-api"' in answer.headers["accept-signature"]
    # The control: as it should be.
    good = place.sign(query="all=1" if "?" in path else None)
    assert place.http.post(path, content=BODY, headers=good).status_code == 200


@pytest.mark.parametrize("missing", ALL)
def test_every_component_is_to_be_covered(place: Place, missing: str) -> None:
    status, said = place.slots(covering(place, *(name for name in ALL if name != missing)))
    assert (status, missing in said) == (401, True)
    assert place.slots(covering(place, *ALL)) == (200, "")


def test_a_request_for_another_host_is_not_handed_on_to_us(place: Place) -> None:
    """The Host is named as it was signed: it is ours or the request is not for us."""
    signed = place.sign(authority="other.example")
    status, said = place.slots({**signed, "Host": "other.example"})
    assert (status, "another host" in said) == (401, True)
    odd = place.sign(authority="localhost:9")
    assert place.slots({**odd, "Host": "localhost:9"})[0] == 401
    # The control: this machine's own address, at the port that was asked.
    here = place.sign(authority="localhost")
    assert place.slots({**here, "Host": "localhost"}) == (200, "")


def test_keys_for_the_ledger_open_nothing_and_the_reverse(place: Place) -> None:
    small = place.small
    ledger_key = small.north.signer.public_key.multikey
    for key, institution in (
        (ledger_key, small.north.did),
        (ledger_key, small.south.did),
        (small.governance.public_key.multikey, place.bank.settings.did),
        (place.bank.signer.public_key.multikey, place.bank.settings.did),
    ):
        with pytest.raises(BadRequest, match="stands on the ledger"):
            place.bank.api_keys.add(institution, key, "awards")
    assert place.slots(place.sign(key=small.north.signer))[0] == 401
    body = {"key": place.key.public_key.multikey, "member": small.north.did, "person": "registrar"}
    add = Statement.make(place.bank.settings.did, "key.add", body).sign(small.governance)
    (outcome,) = place.bank.intake.append([add])
    assert isinstance(outcome, Declined)
    assert "is an API key" in outcome.reason
    fresh = {**body, "key": PrivateKey.generate().public_key.multikey}
    good = Statement.make(place.bank.settings.did, "key.add", fresh).sign(small.governance)
    assert isinstance(place.bank.intake.append([good])[0], Placed)


def test_a_key_that_came_to_the_ledger_all_the_same_opens_nothing(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where two servers register it at once, each not seeing the other."""
    key = new_key(place.bank, place.small.north.did)
    assert place.slots(place.sign(key=key)) == (200, "")
    body: dict[str, Json] = {
        "key": key.public_key.multikey,
        "member": place.small.north.did,
        "person": "registrar",
    }
    add = Statement.make(place.bank.settings.did, "key.add", body).sign(place.small.governance)
    monkeypatch.setattr(place.bank.api_keys, "is_known", lambda key: False)
    assert isinstance(place.bank.intake.append([add])[0], Placed)
    status, said = place.slots(place.sign(key=key))
    assert (status, "stands on the ledger" in said) == (401, True)


def test_a_key_is_registered_once_and_retired_for_good(place: Place) -> None:
    keys, north = place.bank.api_keys, place.small.north.did
    key = new_key(place.bank, north)
    multikey = key.public_key.multikey
    token = keys.begin(multikey)[0]
    bearing = {"Authorization": f"Bearer {token}"}
    assert place.slots(bearing) == (200, "")
    with pytest.raises(NoSuchThing):
        keys.retire(multikey, place.small.south.did)
    assert place.slots(place.sign(key=key)) == (200, "")
    keys.retire(multikey, north)
    assert place.slots(place.sign(key=key))[0] == 401
    assert place.slots(bearing)[0] == 401
    for institution in (north, place.small.south.did):
        with pytest.raises(BadRequest, match="registered before"):
            keys.add(institution, multikey, "again")
    (kept,) = [item for item in keys.all_of(north) if item.key == multikey]
    assert kept.retired
    for wrong, said in (("z6Mk", "no Ed25519"), ("", "no Ed25519")):
        with pytest.raises(BadRequest, match=said):
            keys.add(north, wrong, "x")
    with pytest.raises(BadRequest, match="not a member"):
        keys.add("did:web:nobody.example", PrivateKey.generate().public_key.multikey, "x")
    with pytest.raises(BadRequest, match="what the key is for"):
        keys.add(north, PrivateKey.generate().public_key.multikey, "  ")


def test_sessions_end_by_themselves(tmp_path: Path) -> None:
    with small_bank(tmp_path) as small:
        now = [small.bank.now()]
        small.bank._clock = lambda: now[0]
        token = new_token(small.bank, small.north.did)
        http = TestClient(make_app(small.bank), base_url=f"http://{HOST}")
        bearing = {"Authorization": f"Bearer {token}"}
        assert http.post("/slots", content=BODY, headers=bearing).status_code == 200
        now[0] += timedelta(minutes=9)
        assert http.post("/slots", content=BODY, headers=bearing).status_code == 200
        # Asked of the database again: within seconds what other servers did is known.
        now[0] += timedelta(minutes=2)
        assert http.post("/slots", content=BODY, headers=bearing).status_code == 401
        guess = {"Authorization": "Bearer guess"}
        assert http.post("/slots", content=BODY, headers=guess).status_code == 401
        data = b"".join(path.read_bytes() for path in tmp_path.rglob("bank.db*"))
        assert token.encode() not in data


def test_another_server_knows_within_seconds_that_a_key_was_retired(tmp_path: Path) -> None:
    with small_bank(tmp_path) as small:
        now = [small.bank.now()]
        small.bank._clock = lambda: now[0]
        keys = small.bank.api_keys
        key = new_key(small.bank, small.north.did).public_key.multikey
        token = keys.begin(key)[0]
        keys.session(token)
        seen = dict(keys._seen)
        keys.retire(key)
        keys._seen.update(seen)  # as at a server that did not retire it itself
        assert keys.remembered(token) is not None
        now[0] += timedelta(seconds=6)
        assert keys.remembered(token) is None
        with pytest.raises(NotAllowed, match="has ended"):
            keys.session(token)


def test_a_suspended_member_is_let_in_no_more(tmp_path: Path) -> None:
    with small_bank(tmp_path) as small:
        place = Place(
            small,
            TestClient(make_app(small.bank), base_url=f"http://{HOST}"),
            new_key(small.bank, small.north.did),
        )
        assert place.slots(place.sign()) == (200, "")
        small.govern("member.suspend", member=small.north.did, reason="audit")
        status, said = place.slots(place.sign())
        assert (status, "suspended" in said) == (403, True)
        other = new_key(small.bank, small.south.did)
        assert place.slots(place.sign(key=other)) == (200, "")


def offered(small: SmallBank, key: str) -> Any:
    (slot,) = small.port.slots(small.north, [small.north.lot(key)])
    return small.north.award(result(key), Decimal(4), slot, small.bank.now())


def test_a_statement_may_be_carried_but_a_credential_is_its_institutions(place: Place) -> None:
    small, award = place.small, offered(place.small, "li-7")
    item = {"signed": parse(award.signed.data), "credential": award.credential, "learner": "x"}
    http, south = place.http, Signing(place.bank, new_key(place.bank, place.small.south.did))
    body = encode({"statements": [item]})
    taken = http.post("/statements", content=body, auth=south)
    assert (taken.status_code, "its own institution alone" in taken.text) == (403, True)
    assert place.bank.lots.find(small.north.lot("li-7")) is None
    bare = encode({"statements": [{"signed": item["signed"]}]})
    carried = http.post("/statements", content=bare, auth=south)
    assert carried.json()["outcomes"][0]["outcome"] == "appended"
    north = Signing(place.bank, new_key(place.bank, small.north.did))
    mine = encode({"statements": [{**item, "learner": award.learner}]})
    deposited = http.post("/statements", content=mine, auth=north).json()["outcomes"][0]
    assert deposited["repeated"] is True
    listed = http.get("/awards", auth=north).json()["awards"]
    assert (listed[0]["learner"], listed[0]["unit"]) == (award.learner, "CS101@1")
    assert http.get("/awards", auth=south).json()["awards"] == []


def test_the_client_begins_a_session_and_renews_it(tmp_path: Path) -> None:
    with small_bank(tmp_path) as small:
        now = [small.bank.now()]
        small.bank._clock = lambda: now[0]
        http = TestClient(make_app(small.bank), base_url=f"http://{HOST}")
        key = new_key(small.bank, small.north.did)
        remote = RemoteBank(http, lambda: now[0], {small.north.did: key})
        lots = [small.north.lot("li-1")]
        first = remote.slots(small.north, lots)
        now[0] += timedelta(minutes=20)
        assert remote.slots(small.north, lots) == first
        # A session that was ended before its time, as by a restored database, is begun anew.
        small.bank.api_keys._seen.clear()
        with small.bank._engine.begin() as connection:
            connection.exec_driver_sql("DELETE FROM api_sessions")
        assert remote.slots(small.north, lots) == first
        small.bank.api_keys.retire(key.public_key.multikey)
        with pytest.raises(BankUnreachable, match="refused /sessions"):
            remote.slots(small.north, lots)
        with pytest.raises(BankUnreachable, match="no API key"):
            RemoteBank(http, lambda: now[0], {}).slots(small.north, lots)


def limited(tmp_path: Path, **limits: Limit) -> Iterator[Place]:
    with small_bank(tmp_path) as small:
        small.bank.settings = small.bank.settings.model_copy(update={"limits": Limits(**limits)})
        now = small.bank.now()
        small.bank._clock = lambda: now
        http = TestClient(make_app(small.bank), base_url=f"http://{HOST}")
        yield Place(small, http, new_key(small.bank, small.north.did))


def test_each_key_and_each_address_has_its_limit(tmp_path: Path) -> None:
    few = Limit(burst=3, per_second=0.5)
    others = {
        "address": Limit(burst=5, per_second=1),
        "signed": Limit(burst=12, per_second=1),
    }
    for place in limited(tmp_path, key=few, **others):
        other = new_key(place.bank, place.small.north.did)
        assert [place.slots(place.sign())[0] for _ in range(4)] == [200, 200, 200, 429]
        assert place.slots(place.sign(key=other)) == (200, "")
        answer = place.http.post("/slots", content=BODY, headers=place.sign())
        assert answer.status_code == 429
        assert answer.headers["retry-after"] in ("2", "3")
        # What is not signed well costs the address, not the key whose name it bears.
        forged = place.sign(b"other")
        assert [place.slots(forged)[0] for _ in range(7)] == [401] * 6 + [429]
        read = [place.http.get("/health").status_code for _ in range(6)]
        assert read == [200] * 5 + [429]


def test_limits_are_settings(tmp_path: Path) -> None:
    from bank.errors import BadSetup
    from bank.settings import read_settings

    with small_bank(tmp_path) as small:
        settings = small.bank.settings
        text = (settings.folder / "bank.toml").read_text()
        text += "\n[limits.key]\nburst = 7\nper_second = 2.5\n"
        (settings.folder / "bank.toml").write_text(text)
        wanted = Limits(key=Limit(burst=7, per_second=2.5))
        assert read_settings(settings.folder).limits == wanted
        for wrong in ("burst = 0", 'burst = "7"', "burst = true", "bursts = 7"):
            (settings.folder / "bank.toml").write_text(text.replace("burst = 7", wrong))
            with pytest.raises(BadSetup, match=r"limits\.key"):
                read_settings(settings.folder)
        (settings.folder / "bank.toml").write_text(text.replace("limits.key", "limits.all"))
        with pytest.raises(BadSetup, match=r"limits\.all"):
            read_settings(settings.folder)


class WithoutNonce:
    """Signs with R as the neutral element: the equation holds, and the rule refuses such an R."""

    def __init__(self, seed: bytes) -> None:
        self.public_key = PrivateKey.from_seed(seed).public_key
        digest = bytearray(hashlib.sha512(seed).digest()[:32])
        digest[0] &= 248
        digest[31] = digest[31] & 127 | 64
        self._scalar = int.from_bytes(digest, "little")

    def sign(self, message: bytes) -> bytes:
        r = b"\x01" + bytes(31)
        challenge = hashlib.sha512(r + self.public_key.raw + message).digest()
        s = int.from_bytes(challenge, "little") * self._scalar % ORDER
        return r + s.to_bytes(32, "little")


def test_requests_go_by_the_one_rule_of_ed25519() -> None:
    """The library would check by OpenSSL, which takes it; a plain signature is the control."""
    seed, target = b"w" * 32, Target("POST", HOST, "/slots", None)
    odd, plain = WithoutNonce(seed), PrivateKey.from_seed(seed)
    Ed25519PublicKey.from_public_bytes(odd.public_key.raw).verify(odd.sign(b"m"), b"m")

    def check(signer: Signer) -> None:
        headers = sign_request(target, BODY, signer, API, "n" * 16, NOW)
        named = {name.lower(): value for name, value in headers.items()}
        check_request(target, named, API, signer.public_key.multikey.__eq__, NOW)

    check(plain)
    with pytest.raises(NotAllowed, match="does not match"):
        check(odd)
