"""Signing in for real: passkeys in Chromium, and an institution's OpenID provider."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, OctKey, RSAKey
from playwright.sync_api import Browser, Page

from bank.errors import BadRequest, NotAllowed
from bank.settings import ProviderSettings, Settings
from bank.sign_in import Role
from bank.sign_in.oidc import Providers
from tests.bank_kit import SmallBank, small_bank
from tests.browser_kit import DESKTOP, PHONE, chromium
from tests.pages_kit import BankSite, bank_pages, faults, is_calm, signed_in

SECRET = "a secret of an OpenID client, long enough"


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallBank]:
    with small_bank(tmp_path_factory.mktemp("door")) as made:
        yield made


@pytest.fixture(scope="module")
def site(small: SmallBank) -> Iterator[BankSite]:
    with bank_pages(small) as made:
        yield made


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@contextmanager
def authenticator(page: Page) -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """A security key inside this browser; the credentials it holds."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
    }
    made = session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    name = {"authenticatorId": made["authenticatorId"]}
    yield lambda: session.send("WebAuthn.getCredentials", name)["credentials"]


@pytest.mark.parametrize("language", ["zh-CN", "en-US"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_a_passkey_from_invitation_to_removal(
    browser: Browser, site: BankSite, language: str, size: tuple[int, int]
) -> None:
    code = site.small.bank.sign_in.invite(Role.REGISTRAR, "north")
    login = f"pat-{language}-{size[0]}"
    with signed_in(browser, site, None, size, language) as visit, authenticator(visit.page) as keys:
        page = visit.page
        looked = {}

        def look(step: str) -> None:
            assert is_calm(page), step
            looked[step] = faults(page)
            visit.shot(f"pages-door-{language}-{size[0]}-{step}")

        page.goto(site.url)
        look("1-front")
        page.goto(f"{site.url}/join?code={code}")
        page.fill("#name", "帕特 Pat")
        page.fill("#login", login)
        look("2-join")
        page.click("[data-passkey]")
        page.wait_for_url("**/registrar")
        assert len(keys()) == 1
        page.click(".end form button")
        page.wait_for_url(f"{site.url}/")
        page.goto(f"{site.url}/registrar/keys")
        assert "/sign-in?next=" in page.url
        look("3-sign-in")
        page.click("[data-passkey]")
        page.wait_for_url(f"{site.url}/registrar/keys")
        page.goto(f"{site.url}/account")
        look("4-account")
        page.click("form[action='/account/passkey/remove'] button")
        page.wait_for_selector("[role=alert]")
        look("5-only-way-in")
        page.goto(f"{site.url}/join?code={code}")
        look("6-used")
    assert looked == {step: [] for step in looked}


def test_answers_that_are_not_to_this_question_are_refused(
    browser: Browser, site: BankSite
) -> None:
    """The same again; one too late; one of another site; one of a key that is unknown here."""
    access = site.small.bank.sign_in
    code = access.invite(Role.REGISTRAR, "north")
    with signed_in(browser, site, None) as visit, authenticator(visit.page):
        page = visit.page
        page.goto(f"{site.url}/join?code={code}")
        page.fill("#name", "Rae")
        page.fill("#login", "rae")
        page.click("[data-passkey]")
        page.wait_for_url("**/registrar")
        page.click(".end form button")
        page.wait_for_url(f"{site.url}/")
        page.goto(f"{site.url}/sign-in?next=/registrar/keys")
        with page.expect_request(lambda one: "/sign-in/passkey?" in one.url) as asked:
            page.click("[data-passkey]")
        page.wait_for_url(f"{site.url}/registrar/keys")
        body = asked.value.post_data or ""
        answer = body[body.index("{") : body.rindex("}") + 1]
    from bank.sign_in import Site
    from bank.sign_in.desk import SignIn

    here = Site(site.url)
    with pytest.raises(NotAllowed, match="too long"):
        access.sign_in_with_passkey(here, answer)
    value = json.loads(answer)
    bank = site.small.bank

    def again(change: Callable[[dict[str, Any]], None], where: Site = here) -> str:
        """The answer, changed, while its challenge is open again."""
        changed = json.loads(answer)
        change(changed)
        from bank.sign_in import store
        from bank.sign_in.desk import _digest
        from bank.sign_in.passkeys import challenge_of
        from ledger import format_time
        from ledger.store import writing

        later = format_time(datetime.now(UTC) + timedelta(minutes=1))
        challenge = _digest(challenge_of(json.dumps(changed)))
        with writing(bank._engine) as connection:
            store.add_challenge(connection, challenge, "sign in", later)
        with pytest.raises((NotAllowed, BadRequest)) as caught:
            access.sign_in_with_passkey(where, json.dumps(changed))
        return str(caught.value)

    # The counter has not moved since, as a copied key's would not.
    assert "does not hold" in again(lambda _: None)
    assert "does not hold" in again(lambda _: None, Site("https://evil.example"))
    assert "not known here" in again(lambda item: item.update(rawId="AAAA", id="AAAA"))
    signature = value["response"]["signature"]
    broken = signature[:-4] + ("AAAA" if signature[-4:] != "AAAA" else "BBBB")
    assert "does not hold" in again(lambda item: item["response"].update(signature=broken))
    late = SignIn(
        bank._engine,
        bank.vault,
        lambda: datetime.now(UTC) + timedelta(minutes=10),
        bank.chance.name,
        bank.operator_log,
    )
    options = json.loads(access.sign_in_options(here))
    assert options["userVerification"] == "required"
    with pytest.raises(NotAllowed, match="too long"):
        late.sign_in_with_passkey(here, answer)


@contextmanager
def provider(site: str) -> Iterator[str]:
    """A real OpenID provider, by whose own pages people sign in; its issuer."""
    node = shutil.which("node")
    folder = Path(__file__).parents[1] / "peers"
    if node is None or not (folder / "node_modules" / "oidc-provider").exists():
        pytest.skip("Node's oidc-provider is not installed: scripts/peers installs it")
    back = f"{site}/sign-in/institution/north/back"
    process = subprocess.Popen(
        [node, "openid_provider.mjs", "creditbank", SECRET, back],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait()


def settings(issuer: str) -> ProviderSettings:
    names = {"en": "North's accounts", "zh": "北方账号"}
    return ProviderSettings(names, issuer, "creditbank", "secret", SECRET)


def test_an_institutions_own_sign_in(browser: Browser, tmp_path: Path) -> None:
    """By invitation the first time; afterwards without."""

    with small_bank(tmp_path) as small:
        # The provider must know where it sends people back to before there is a server.
        known: dict[str, ProviderSettings] = {}
        with (
            patch.object(Settings, "providers", known),
            bank_pages(small) as site,
            provider(site.url) as issuer,
        ):
            known["north"] = settings(issuer)
            code = small.bank.sign_in.invite(Role.APPROVER, "north")
            context = browser.new_context(locale="en-US")
            page = context.new_page()
            page.goto(f"{site.url}/join?code={code}")
            page.click("a[href^='/sign-in/institution/north']")
            sign_in_there(page, "mei")
            page.wait_for_url("**/registrar")
            assert "Person mei" in page.inner_text(".end") or "mei" in page.inner_text(".end")
            page.click(".end form button")
            page.goto(f"{site.url}/sign-in?next=/registrar/approvals")
            assert faults(page) == []
            page.click("a[href^='/sign-in/institution/north']")
            if "interaction" in page.url:
                sign_in_there(page, "mei")
            page.wait_for_url(f"{site.url}/registrar/approvals")
            page.context.clear_cookies()
            page.goto(f"{site.url}/sign-in")
            page.click("a[href^='/sign-in/institution/north']")
            sign_in_there(page, "stranger")
            page.wait_for_selector("[role=alert]")
            assert "Nobody" in page.inner_text("main") or "nobody" in page.inner_text("main")
            # What one browser began, no other can end.
            page.goto(f"{site.url}/sign-in/institution/north/back?code=a&state=b")
            assert "not begun in this browser" in page.inner_text("main")
            context.close()


def sign_in_there(page: Page, login: str) -> None:
    """The provider's own pages: a name, any password, and consent."""
    page.wait_for_selector("input[name=login]")
    page.fill("input[name=login]", login)
    page.fill("input[name=password]", "any")
    page.click("button[type=submit]")
    page.wait_for_selector("button:has-text('Continue')")
    page.click("button:has-text('Continue')")


class Fake:
    """A provider whose answers a test chooses."""

    def __init__(self, port: int) -> None:
        self.issuer = f"http://127.0.0.1:{port}"
        self.key = self.published = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
        self.algorithm = "RS256"
        self.claims: dict[str, Any] = {}
        self.status = 200
        self.named = self.issuer

    def token(self, nonce: str, now: int) -> str:
        claims = {
            "iss": self.issuer,
            "sub": "mei",
            "aud": "creditbank",
            "exp": now + 300,
            "iat": now,
            "nonce": nonce,
            **self.claims,
        }
        header = {"alg": self.algorithm, "kid": "one"}
        if self.algorithm == "none":
            return _unsigned(claims)
        key = OctKey.import_key(SECRET) if self.algorithm == "HS256" else self.key
        return jwt.encode(header, claims, key, algorithms=[self.algorithm])

    def answer(self, path: str, token: str) -> dict[str, Any]:
        if path.endswith("openid-configuration"):
            return {
                "issuer": self.named,
                "authorization_endpoint": f"{self.issuer}/auth",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/jwks",
            }
        if path.endswith("jwks"):
            return dict(KeySet([self.published]).as_dict(private=False))
        return {"id_token": token, "access_token": "x", "token_type": "Bearer"}


def _unsigned(claims: dict[str, Any]) -> str:
    from keys import b64u_encode

    parts = [{"alg": "none"}, claims]
    return ".".join(b64u_encode(json.dumps(part).encode()) for part in parts) + "."


@contextmanager
def faking() -> Iterator[tuple[Fake, dict[str, str]]]:
    """The fake on loopback; the token it hands out is put into the dictionary."""
    token = {"token": ""}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            data = json.dumps(fake.answer(self.path, token["token"])).encode()
            self.send_response(fake.status)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(data)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.do_GET()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    fake = Fake(server.server_port)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield fake, token
    server.shutdown()
    server.server_close()


def test_what_a_provider_says_is_checked(small: SmallBank) -> None:
    """Each answer that is wrong in one way is refused; the control, wrong in none, is taken."""
    bank = small.bank
    back = "http://localhost/back"

    def attempt(
        change: Callable[[Fake], None], query: str = "code=c&state={state}", wait: int = 0
    ) -> str:
        now = datetime.now(UTC)
        clock = {"now": now}
        with faking() as (fake, token):
            known = {"north": settings(fake.issuer)}
            providers = Providers(known, bank.vault, lambda: clock["now"])
            address, brought = providers.start("north", back, "/registrar", "")
            asked = {name: v[0] for name, v in parse_qs(urlsplit(address).query).items()}
            assert asked["code_challenge_method"] == "S256"
            change(fake)
            token["token"] = fake.token(asked["nonce"], int(now.timestamp()))
            clock["now"] += timedelta(seconds=wait)
            try:
                found = providers.finish("north", back, query.format(**asked), brought)
            except (BadRequest, NotAllowed) as error:
                return str(error)
            return f"taken: {found.subject}"

    def claims(**values: Any) -> Callable[[Fake], None]:
        return lambda fake: fake.claims.update(values)

    def foreign_key(fake: Fake) -> None:
        fake.published, fake.key = fake.key, RSAKey.generate_key(2048)

    assert attempt(lambda _: None) == "taken: mei"
    assert "does not hold" in attempt(claims(nonce="another"))
    assert "does not hold" in attempt(claims(aud="another-client"))
    assert "does not hold" in attempt(claims(iss="https://evil.example"))
    assert "does not hold" in attempt(claims(exp=1))
    assert "does not hold" in attempt(lambda fake: setattr(fake, "algorithm", "none"))
    assert "does not hold" in attempt(lambda fake: setattr(fake, "algorithm", "HS256"))
    assert "does not hold" in attempt(foreign_key)
    assert "not begun in this browser" in attempt(lambda _: None, "code=c&state=other")
    assert "did not sign you in" in attempt(lambda _: None, "error=access_denied&state={state}")
    assert "took too long" in attempt(lambda _: None, wait=700)
    assert "refused: status 500" in attempt(lambda fake: setattr(fake, "status", 500))
    assert "calls itself" in attempt(lambda fake: setattr(fake, "named", "https://evil.example"))
    down = Providers({"north": settings("http://127.0.0.1:9")}, bank.vault, bank.now)
    with pytest.raises(BadRequest, match="did not answer"):
        down.start("north", back, "/", "")


def test_the_administrator_invites_and_ends(browser: Browser, site: BankSite) -> None:
    with signed_in(browser, site, Role.ADMIN) as visit:
        page = visit.page
        page.goto(f"{site.url}/registrar/people")
        assert faults(page) == []
        page.select_option("#role", "approver")
        page.click("button.main")
        link = page.inner_text("a.code")
        visit.shot("pages-door-people")
        assert site.small.bank.sign_in.invitation(link.partition("code=")[2]).scope == "north"
        made = site.small.bank.sign_in.admit("to-end", "To End", Role.APPROVER, "north")
        token = site.small.bank.sign_in.begin(made.person)
        page.goto(f"{site.url}/registrar/people")
        page.click(f"form:has(input[value='{made.person}']) button")
        page.wait_for_load_state()
        assert site.small.bank.sign_in.session(token) is None
