"""Who gets in, and who does not: invitations, passwords and codes, sessions, forms, roles, pace."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyotp
import pytest
from fastapi.testclient import TestClient

from bank.api.app import make_app
from bank.errors import BadRequest, NoLonger, NotAllowed, TooFast
from bank.limits import Bucket
from bank.service import Bank
from bank.sign_in import Role, SignIn
from tests.bank_kit import small_bank

PASSWORD = "three quiet words"


@dataclass
class Clock:
    now: datetime = datetime(2026, 7, 1, 8, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def wait(self, **span: float) -> None:
        self.now += timedelta(**span)


@dataclass
class Door:
    access: SignIn
    clock: Clock
    bank: Bank

    def join(self, login: str, role: Role = Role.REGISTRAR, scope: str = "north") -> pyotp.TOTP:
        """Somebody with a password; their authenticator. Ten minutes pass, so its code is new."""
        code = self.access.invite(role, scope)
        secret = base64.b32encode(self.access.totp_secret(code)).decode()
        authenticator = pyotp.TOTP(secret)
        self.access.accept(code, login, login, PASSWORD, self.code(authenticator))
        self.clock.wait(minutes=10)
        return authenticator

    def past(self) -> Door:
        """The same door an hour ago: what is done there is over when a server looks now."""
        clock = Clock(self.clock.now - timedelta(hours=1))
        return Door(
            SignIn(
                self.bank._engine,
                self.bank.vault,
                clock,
                self.bank.chance.name,
                self.bank.operator_log,
            ),
            clock,
            self.bank,
        )

    def code(self, authenticator: pyotp.TOTP) -> str:
        return authenticator.at(int(self.clock.now.timestamp()))


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bank]:
    with small_bank(tmp_path_factory.mktemp("door")) as made:
        yield made.bank


@pytest.fixture
def door(bank: Bank) -> Door:
    clock = Clock(datetime.now(UTC).replace(microsecond=0))
    return Door(
        SignIn(bank._engine, bank.vault, clock, bank.chance.name, bank.operator_log), clock, bank
    )


def test_an_invitation_works_once(door: Door) -> None:
    code = door.access.invite(Role.APPROVER, "north")
    authenticator = pyotp.TOTP(base64.b32encode(door.access.totp_secret(code)).decode())
    with pytest.raises(BadRequest, match="authenticator"):
        door.access.accept(code, "once", "Once", PASSWORD, "000000")
    with pytest.raises(BadRequest, match="12 to 200"):
        door.access.accept(code, "once", "Once", "short", door.code(authenticator))
    token = door.access.accept(code, "once", "Once", PASSWORD, door.code(authenticator))
    session = door.access.session(token)
    assert session is not None
    assert (session.person.role, session.person.scope) == (Role.APPROVER, "north")
    with pytest.raises(NoLonger, match="used or has ended"):
        door.access.accept(code, "twice", "Twice", PASSWORD, door.code(authenticator))


def test_an_invitation_ends_and_names_are_taken_once(door: Door) -> None:
    door.join("Taken")
    code = door.access.invite(Role.REGISTRAR, "north")
    authenticator = pyotp.TOTP(base64.b32encode(door.access.totp_secret(code)).decode())
    with pytest.raises(BadRequest, match="taken"):
        door.access.accept(code, "  tAKEN ", "Other", PASSWORD, door.code(authenticator))
    # What failed used nothing up.
    assert door.access.invitation(code).role is Role.REGISTRAR
    door.clock.wait(days=15)
    with pytest.raises(NoLonger):
        door.access.invitation(code)


def test_signing_in_takes_name_password_and_a_code_that_works_once(door: Door) -> None:
    authenticator = door.join("anna")
    good = door.code(authenticator)
    for login, password, code in (
        ("anna", "another password", good),
        ("anna", PASSWORD, "123456"),
        ("nobody", PASSWORD, good),
        ("anna", "", ""),
    ):
        with pytest.raises(NotAllowed, match="the name, the password or the code is wrong"):
            door.access.sign_in_with_password(login, password, code)
    assert (
        door.access.session(door.access.sign_in_with_password("ANNA", PASSWORD, good)) is not None
    )
    with pytest.raises(NotAllowed):
        door.access.sign_in_with_password("anna", PASSWORD, good)
    door.clock.wait(seconds=60)
    door.access.sign_in_with_password("anna", PASSWORD, door.code(authenticator))


def test_five_failures_lock_for_a_minute_and_longer_and_longer(door: Door) -> None:
    authenticator = door.join("lena")

    def fail() -> str:
        with pytest.raises(NotAllowed) as caught:
            door.access.sign_in_with_password("lena", "wrong password", "000000")
        return str(caught.value)

    assert not any("too many" in fail() for _ in range(5))
    assert "try again in 2 minutes" in fail() or "try again in 1 minutes" in fail()
    # The right password does not open a locked door: nobody learns that it is the right one.
    with pytest.raises(NotAllowed, match="too many"):
        door.access.sign_in_with_password("lena", PASSWORD, door.code(authenticator))
    locks = []
    for _ in range(9):
        span = 0
        while True:
            door.clock.wait(minutes=1)
            span += 1
            if "too many" not in fail():
                break
        locks.append(span)
    assert locks[0] < locks[3] < locks[5]
    assert max(locks) <= 61
    door.clock.wait(hours=2)
    door.access.sign_in_with_password("lena", PASSWORD, door.code(authenticator))
    assert "too many" not in fail()


def test_sessions_end(door: Door) -> None:
    authenticator = door.join("sara")

    def enter() -> str:
        door.clock.wait(minutes=2)
        return door.access.sign_in_with_password("sara", PASSWORD, door.code(authenticator))

    token, second = enter(), enter()
    assert token != second
    door.access.sign_out(token)
    assert door.access.session(token) is None
    assert door.access.session(second) is not None
    door.clock.wait(hours=13)
    assert door.access.session(second) is None
    busy = enter()
    for _ in range(15):
        assert door.access.session(busy) is not None
        door.clock.wait(hours=11)
    for _ in range(2):
        door.clock.wait(hours=11)
    assert door.access.session(busy) is None
    third = enter()
    session = door.access.session(third)
    assert session is not None
    with pytest.raises(NotAllowed, match="not one of yours"):
        door.access.end(session.person.person, "south")
    door.access.end(session.person.person, "north")
    assert door.access.session(third) is None
    door.clock.wait(minutes=2)
    with pytest.raises(NotAllowed):
        door.access.sign_in_with_password("sara", PASSWORD, door.code(authenticator))


def test_the_set_up_code_is_the_newest_alone(tmp_path: Path) -> None:
    with small_bank(tmp_path) as small:
        access = small.bank.sign_in
        assert not access.anybody()
        access.admit("demo", "Demo", Role.OPERATOR, "")
        assert not access.anybody(), "the demonstration's people have no way in of their own"
        first, second = access.set_up_code(), access.set_up_code()
        with pytest.raises(NoLonger):
            access.invitation(first)
        assert access.invitation(second).role is Role.OPERATOR
        door = Door(access, Clock(datetime.now(UTC)), small.bank)
        door.join("first", Role.OPERATOR, "")
        assert access.anybody()


def test_nothing_secret_is_stored_as_it_is(door: Door) -> None:
    code = door.access.invite(Role.REGISTRAR, "north")
    authenticator = door.join("stored")
    token = door.access.sign_in_with_password("stored", PASSWORD, door.code(authenticator))
    data = b"".join(
        path.read_bytes() for path in door.bank.settings.folder.rglob("bank.db*") if path.is_file()
    )
    secret = authenticator.byte_secret()
    for name, needle in (("code", code), ("token", token), ("password", PASSWORD)):
        assert needle.encode() not in data, name
    assert secret not in data
    assert authenticator.secret.encode() not in data
    assert b"stored" in data, "the control: what is stored in clear is found"


def test_the_pace_of_one_address(door: Door) -> None:
    pace = Bucket(door.clock, burst=3, refill=10)
    for _ in range(3):
        pace.attempt("a")
    with pytest.raises(TooFast, match=r"try again in 1[01] seconds"):
        pace.attempt("a")
    pace.attempt("b")
    door.clock.wait(seconds=10)
    pace.attempt("a")
    with pytest.raises(TooFast):
        pace.attempt("a")


# Over HTTP.


@pytest.fixture
def http(bank: Bank) -> TestClient:
    return TestClient(make_app(bank), follow_redirects=False, base_url="http://localhost")


def sign_in(http: TestClient, bank: Bank, role: Role, scope: str = "north") -> str:
    """A session of this role; the token of its forms."""
    person = bank.sign_in.admit(f"http-{role}", f"Http {role}", role, scope)
    token = bank.sign_in.begin(person.person)
    http.cookies.set("session", token)
    session = bank.sign_in.session(token)
    assert session is not None
    return session.csrf


def test_forms_of_other_sites_and_sessions_are_not_taken(http: TestClient, bank: Bank) -> None:
    token = sign_in(http, bank, Role.ADMIN)
    data = {"role": "registrar", "form_token": token}
    for headers, said in (
        ({"sec-fetch-site": "cross-site"}, "another site"),
        ({"sec-fetch-site": "same-site"}, "another site"),
        ({"origin": "https://evil.example"}, "another site"),
        ({"origin": "null"}, "another site"),
    ):
        answer = http.post("/registrar/people", data=data, headers=headers)
        assert answer.status_code == 403, headers
        assert said in answer.text
    for wrong in ("", "guess", token[:-1]):
        answer = http.post("/registrar/people", data={**data, "form_token": wrong})
        assert answer.status_code == 400
        assert "earlier session" in answer.text
    good = http.post("/registrar/people", data=data, headers={"sec-fetch-site": "same-origin"})
    assert good.status_code == 200, good.text
    assert "/join?code=" in good.text


def test_nobody_is_sent_to_another_site(http: TestClient, door: Door) -> None:
    authenticator = door.past().join("next")
    for target in ("https://evil.example", "//evil.example", "/\\evil.example", "javascript:x"):
        door.clock.wait(minutes=2)
        http.cookies.clear()
        code = authenticator.at(int(datetime.now(UTC).timestamp()))
        form = {"login": "next", "password": PASSWORD, "totp": code, "next": target}
        answer = http.post("/sign-in", data=form)
        if answer.status_code == 303:
            assert answer.headers["location"] == "/registrar"
            break
    else:
        pytest.fail("nobody got in")
    http.cookies.clear()
    from bank.pages.visitor import inner_path

    for target in ("https://evil.example", "//evil.example", "/\\evil.example", "javascript:x", ""):
        assert inner_path(target) == "/"
    assert inner_path("/registrar/awards?unit=a") == "/registrar/awards?unit=a"


def test_cookies_are_kept_from_scripts_and_other_sites(bank: Bank, door: Door) -> None:
    authenticator = door.past().join("cookie")
    for scheme, name in (("http", "session"), ("https", "__Host-session")):
        http = TestClient(make_app(bank), follow_redirects=False, base_url=f"{scheme}://localhost")
        step = 0 if scheme == "http" else 30
        code = authenticator.at(int(datetime.now(UTC).timestamp()) + step)
        form = {"login": "cookie", "password": PASSWORD, "totp": code}
        answer = http.post("/sign-in", data=form)
        assert answer.status_code == 303, answer.text
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith(f"{name}=")
        assert "HttpOnly" in cookie
        assert "samesite=lax" in cookie.lower()
        assert ("Secure" in cookie) == (scheme == "https")


def test_the_demonstrations_sign_ins_are_there_alone(bank: Bank) -> None:
    from bank.pages import Demo

    person = bank.sign_in.admit("only-demo", "Only", Role.OPERATOR, "")
    demo = TestClient(make_app(bank, Demo("key", [person])), follow_redirects=False)
    assert demo.get("/demo/key").status_code == 200
    assert demo.get("/demo/guess").status_code == 404
    entered = demo.post("/demo/key", data={"person": person.person})
    assert entered.headers["location"] == "/operator"
    demo.cookies.clear()
    assert demo.post("/demo/guess", data={"person": person.person}).status_code == 404
    other = bank.sign_in.admit("not-demo", "Not", Role.OPERATOR, "")
    assert demo.post("/demo/key", data={"person": other.person}).status_code == 404
    served = TestClient(make_app(bank), follow_redirects=False)
    assert served.get("/demo/key").status_code == 404
    assert served.post("/demo/key", data={"person": person.person}).status_code == 404
    for login in ("only-demo", "not-demo"):
        form = {"login": login, "password": "", "totp": "000000"}
        assert served.post("/sign-in", data=form).status_code == 401


def test_too_many_attempts_are_told_to_wait(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    now = bank.now()
    monkeypatch.setattr(bank, "_clock", lambda: now)
    http = TestClient(make_app(bank), follow_redirects=False, base_url="http://localhost")
    form = {"login": "x", "password": "y", "totp": "1"}
    answers = [http.post("/sign-in", data=form) for _ in range(22)]
    assert [answer.status_code for answer in answers[:20]] == [401] * 20
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["retry-after"]) >= 1


def test_pages_say_what_is_wrong_in_both_languages(http: TestClient) -> None:
    for language, title in (("zh", "这里什么也没有"), ("en", "There is nothing here")):
        headers = {"accept": "text/html", "accept-language": language}
        answer = http.get("/nowhere", headers=headers)
        assert answer.status_code == 404
        assert title in answer.text
        assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert http.get("/nowhere").headers["content-type"] == "application/problem+json"
