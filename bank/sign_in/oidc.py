"""Signing in by an institution's OpenID provider (OpenID Connect Core 1.0): code flow with PKCE.

Who signs in is named by issuer and subject, never by an e-mail address, which can change hands.
"""

import json
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256
from urllib.parse import parse_qs, urlencode

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from bank.errors import BadRequest, NoSuchThing, NotAllowed
from bank.settings import ProviderSettings
from bank.vault import Vault
from keys import b64u_decode, b64u_encode
from keys.errors import KeysError

_ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA", "Ed25519"]
_PATIENCE = 600
_LEEWAY = 60
_SEAL = "openid"


@dataclass(frozen=True, slots=True)
class Found:
    """Whom a provider says this is, the invitation they take up, and where they are to go."""

    issuer: str
    subject: str
    name: str
    login: str
    code: str
    target: str


@dataclass(frozen=True, slots=True)
class _Asked:
    slug: str
    state: str
    nonce: str
    verifier: str
    code: str
    target: str
    time: int


class Providers:
    """The OpenID providers that institutions have."""

    def __init__(
        self,
        known: Mapping[str, ProviderSettings],
        vault: Vault,
        clock: Callable[[], datetime],
        http: Callable[[], httpx.Client] = lambda: httpx.Client(timeout=10),
    ) -> None:
        """`known` by the institution's short name; `http` makes a client to reach them with."""
        self.known = known
        self._vault = vault
        self._clock = clock
        self._http = http

    def start(self, slug: str, back: str, target: str, code: str) -> tuple[str, str]:
        """Where the browser is to go, and what it is to bring back in a cookie."""
        settings = self._provider(slug)
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        asked = _Asked(slug, state, nonce, verifier, code, target, self._time())
        query = {
            "client_id": settings.client_id,
            "code_challenge": _b64(sha256(verifier.encode()).digest()),
            "code_challenge_method": "S256",
            "nonce": nonce,
            "redirect_uri": back,
            "response_type": "code",
            "scope": "openid profile email",
            "state": state,
        }
        with self._http() as http:
            endpoint = str(_discover(http, settings)["authorization_endpoint"])
        sealed = self._vault.seal_access(json.dumps(asdict(asked)).encode(), _SEAL)
        separator = "&" if "?" in endpoint else "?"
        return f"{endpoint}{separator}{urlencode(query)}", b64u_encode(sealed)

    def finish(self, slug: str, back: str, query: str, brought: str) -> Found:
        """Whom the provider says this is; NotAllowed or BadRequest where its answer fails."""
        settings, asked = self._provider(slug), self._opened(brought)
        given = {name: values[0] for name, values in parse_qs(query).items()}
        if asked.slug != slug or not secrets.compare_digest(asked.state, given.get("state", "")):
            raise BadRequest("this sign-in was not begun in this browser; begin again")
        if asked.time + _PATIENCE < self._time():
            raise BadRequest("that took too long; begin again")
        if "code" not in given:
            raise NotAllowed(f"the provider did not sign you in: {given.get('error', '')[:80]}")
        with self._http() as http:
            described = _discover(http, settings)
            token = _exchange(http, settings, described, given["code"], back, asked.verifier)
            keys = _fetched(http, str(described["jwks_uri"]))
        claims = self._claims(token, keys, settings, asked.nonce)
        subject = str(claims["sub"])
        name = str(claims.get("name") or claims.get("preferred_username") or subject)
        login = str(claims.get("email") or claims.get("preferred_username") or subject)
        return Found(settings.issuer, subject, name[:80], login[:80], asked.code, asked.target)

    def _provider(self, slug: str) -> ProviderSettings:
        try:
            return self.known[slug]
        except KeyError:
            raise NoSuchThing(f"the institution {slug[:60]} has no sign-in of its own") from None

    def _opened(self, brought: str) -> _Asked:
        try:
            return _Asked(**json.loads(self._vault.open_access(b64u_decode(brought), _SEAL)))
        except (KeysError, NoSuchThing, ValueError) as error:
            raise BadRequest("this sign-in was not begun in this browser; begin again") from error

    def _claims(
        self, token: str, keys: dict[str, object], settings: ProviderSettings, nonce: str
    ) -> dict[str, object]:
        try:
            decoded = jwt.decode(token, KeySet.import_key_set(keys), _ALGORITHMS)  # type: ignore[arg-type]
            registry = jwt.JWTClaimsRegistry(
                self._time,
                _LEEWAY,
                iss={"essential": True, "value": settings.issuer},
                aud={"essential": True, "value": settings.client_id},
                sub={"essential": True},
                exp={"essential": True},
                nonce={"essential": True, "value": nonce},
            )
            registry.validate(decoded.claims)
        except (JoseError, ValueError) as error:
            raise NotAllowed(f"the provider's answer does not hold: {error}") from error
        return dict(decoded.claims)

    def _time(self) -> int:
        return int(self._clock().timestamp())


def _discover(http: httpx.Client, settings: ProviderSettings) -> dict[str, object]:
    issuer = settings.issuer.rstrip("/")
    found = _fetched(http, f"{issuer}/.well-known/openid-configuration")
    if found.get("issuer") != settings.issuer:
        raise NotAllowed(f"the provider at {issuer} calls itself {found.get('issuer')!r:.80}")
    return found


def _exchange(
    http: httpx.Client,
    settings: ProviderSettings,
    described: dict[str, object],
    code: str,
    back: str,
    verifier: str,
) -> str:
    fields = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": back,
        "code_verifier": verifier,
    }
    auth = (settings.client_id, settings.client_secret)
    answer = _answer(http.post, str(described["token_endpoint"]), data=fields, auth=auth)
    return str(answer.get("id_token", ""))


def _fetched(http: httpx.Client, address: str) -> dict[str, object]:
    return _answer(http.get, address)


def _answer(ask: Callable[..., httpx.Response], address: str, **how: object) -> dict[str, object]:
    try:
        response = ask(address, **how)
        value = response.json()
    except (httpx.HTTPError, ValueError) as error:
        raise BadRequest(f"the institution's sign-in did not answer: {error}") from error
    if response.is_error or not isinstance(value, dict):
        raise NotAllowed(f"the institution's sign-in refused: status {response.status_code}")
    return value


def _b64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
