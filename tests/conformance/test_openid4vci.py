"""A wallet that nobody here wrote takes an award from the bank, step by step (OpenID4VCI 1.0)."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from bank.api.app import make_app
from bank.cli.background import served
from bank.institution import Institution
from bank.openid4vci import Offer, offer_uri
from bank.openid4vci.metadata import CONFIGURATION, PRE_AUTHORIZED
from bank.opening import LocalBank, admit, create_bank, open_bank, read_admissions
from bank.results import Learner, Result, UnitRef
from bank.service import Bank
from credentials import key_in_method, verify_proofs
from keys import PrivateKey, b64u_encode
from keys.ecdsa import EcdsaPrivateKey
from verifier import Evidence, open_trust, verify

UNIT = UnitRef(
    "ACC101", 1, "Accounting", "会计学", "business", "5", "40", "cq-lof", "standard-credit"
)

KEY = PrivateKey.from_seed(b"w" * 32)


@dataclass
class Issuer:
    """A served bank with one learner's two awards, and a clock that can be moved."""

    bank: Bank
    http: httpx.Client
    base: str
    token: str
    awards: list[dict[str, Any]]
    now: datetime

    def offer(self, count: int = 1) -> Offer:
        return self.bank.wallets.offer(self.token, [a["id"] for a in self.awards[:count]])

    def grant(self, code: str, tx_code: str, /, **changes: str) -> httpx.Response:
        form = {"grant_type": PRE_AUTHORIZED, "pre-authorized_code": code, "tx_code": tx_code}
        return self.http.post("/openid4vci/token", data={**form, **changes})

    def access(self, count: int = 1) -> str:
        made = self.offer(count)
        return str(self.grant(made.code, made.tx_code).json()["access_token"])

    def nonce(self) -> str:
        return str(self.http.post("/openid4vci/nonce").json()["c_nonce"])

    def take(self, access: str, proof: Any, **changes: Any) -> httpx.Response:
        body = {"credential_configuration_id": CONFIGURATION, "proofs": {"jwt": [proof]}}
        body = {name: value for name, value in {**body, **changes}.items() if value is not None}
        headers = {"Authorization": f"Bearer {access}"}
        return self.http.post("/openid4vci/credential", json=body, headers=headers)

    def proof(self, nonce: str, header: Any = None, payload: Any = None, key: Any = KEY) -> str:
        """A proof as a wallet makes it, with changes."""
        multikey = key.public_key.multikey
        algorithm = "EdDSA" if key.public_key.algorithm == "Ed25519" else "ES256"
        kid = f"did:key:{multikey}#{multikey}"
        head = {"typ": "openid4vci-proof+jwt", "alg": algorithm, "kid": kid, **(header or {})}
        said = {"aud": self.base, "iat": int(self.now.timestamp()), "nonce": nonce}
        body = {**said, **(payload or {})}
        parts = [
            b64u_encode(json.dumps({k: v for k, v in part.items() if v is not None}).encode())
            for part in (head, body)
        ]
        message = ".".join(parts)
        return f"{message}.{b64u_encode(key.sign(message.encode()))}"


@pytest.fixture
def issuer(tmp_path: Path, repo: Path) -> Iterator[Issuer]:
    governance, key = PrivateKey.generate(), PrivateKey.generate()
    public = governance.public_key.multikey
    create_bank(tmp_path, "cq.example", {"en": "CQ", "zh": "重庆"}, [public], 1, "p")
    bank = open_bank(tmp_path, "p")
    bank.found([governance])
    admission = read_admissions(repo / "docs" / "samples" / "institutions.toml")[0]
    admit(bank, admission, key.public_key, [governance])
    institution = Institution("cq.example", "bayu-open", admission.names, key, b"r" * 32)
    port = LocalBank(bank)
    port.submit([institution.publish_unit(UNIT, Decimal(4))])
    awards: list[dict[str, Any]] = []
    for record in ("one", "two"):
        (slot,) = port.slots(institution, [institution.lot(record)])
        learner, day = Learner("ana", "Ana 安娜"), date(2024, 7, 1)
        result = Result(2, record, learner, "bayu-open", UNIT, "3.5", None, day, None)
        award = institution.award(result, Decimal(4), slot, datetime.now(UTC))
        port.submit([award])
        assert award.credential is not None
        awards.append(award.credential)
    token = bank.vault.token(bank.accounts.names()[0])
    with served(make_app(bank)) as base, httpx.Client(base_url=base) as http:
        bank.settings = bank.settings.model_copy(update={"public_url": base.rstrip("/")})
        found = Issuer(bank, http, base.rstrip("/"), token, awards, datetime.now(UTC))
        bank._clock = lambda: found.now
        yield found
    bank.close()


@pytest.fixture(scope="session")
def wallet(repo: Path) -> Callable[..., dict[str, Any]]:
    folder = repo / "tests" / "peers"
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node is not on this machine: the wallet cannot run")
    if not (folder / "node_modules" / "@openid4vc" / "openid4vci").exists():
        pytest.skip("scripts/peers has not installed @openid4vc/openid4vci")

    def run(offer: str, tx_code: str, algorithm: str = "EdDSA", by: str = "did") -> dict[str, Any]:
        question = {"offer": offer, "txCode": tx_code, "algorithm": algorithm, "by": by}
        done = subprocess.run(
            [node, "wallet.mjs"],
            cwd=folder,
            input=json.dumps(question).encode(),
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    return run


@pytest.mark.parametrize(
    ("algorithm", "by"), [("EdDSA", "did"), ("EdDSA", "jwk"), ("ES256", "did"), ("ES256", "jwk")]
)
def test_a_wallet_takes_an_award(issuer: Issuer, wallet: Any, algorithm: str, by: str) -> None:
    made = issuer.offer()
    link = offer_uri(issuer.base, made.code)
    wrong = f"{(int(made.tx_code) + 1) % 10**6:06d}"
    assert wallet(link, wrong, algorithm, by)["error"] == "invalid_grant"
    taken = wallet(link, made.tx_code, algorithm, by)
    assert "error" not in taken, taken
    ((one),) = taken["credentials"]
    assert one["credential"] == issuer.awards[0]
    assert [r.passed for r in verify_proofs(one["credential"], key_in_method)] == [True, True]
    assert issuer.bank.wallets.keys(issuer.token) == [taken["did"].partition("#")[0]]
    assert wallet(link, made.tx_code, algorithm, by)["error"] == "invalid_grant"


def test_an_award_of_the_story_opens_in_a_wallet(story: Any, wallet: Any, tmp_path: Path) -> None:
    """What scripts/run makes, taken by the wallet and verified offline from there."""
    data = tmp_path / "var"
    shutil.copytree(story.data, data)
    bank = open_bank(data, (data / "passphrase").read_text(encoding="utf-8").strip())
    try:
        token = bank.vault.token(bank.accounts.names()[0])
        identifier, index = bank.accounts.credentials(token)[0]
        with served(make_app(bank)) as base:
            bank.settings = bank.settings.model_copy(update={"public_url": base.rstrip("/")})
            made = bank.wallets.offer(token, [identifier])
            taken = wallet(offer_uri(base, made.code), made.tx_code)
        ((one),) = taken["credentials"]
        receipt = bank.log.receipt(index).encode()
    finally:
        bank.close()
    trust = open_trust(story.trust.read_bytes())
    report = verify(Evidence(one["credential"], receipt, "bundle"), trust, datetime.now(UTC))
    assert report.subject.credential == identifier
    assert report.exit_code == 0


def test_what_it_says_of_itself(issuer: Issuer) -> None:
    said = issuer.http.get("/.well-known/openid-credential-issuer").json()
    assert said["credential_issuer"] == issuer.base
    for endpoint in ("credential_endpoint", "nonce_endpoint"):
        assert said[endpoint].startswith(f"{issuer.base}/")
    (configuration,) = said["credential_configurations_supported"].values()
    assert configuration["format"] == "ldp_vc"
    assert configuration["credential_definition"]["type"] == issuer.awards[0]["type"]
    server = issuer.http.get("/.well-known/oauth-authorization-server").json()
    assert server["issuer"] == issuer.base
    assert server["grant_types_supported"] == [PRE_AUTHORIZED]


def test_the_token_names_what_it_is_for(issuer: Issuer) -> None:
    made = issuer.offer(2)
    done = issuer.grant(made.code, made.tx_code)
    assert done.headers["cache-control"] == "no-store"
    (details,) = done.json()["authorization_details"]
    names = details["credential_identifiers"]
    assert names == [award["id"] for award in issuer.awards]
    access = done.json()["access_token"]
    for name, award in zip(names, issuer.awards, strict=True):
        chosen = {"credential_identifier": name, "credential_configuration_id": None}
        found = issuer.take(access, issuer.proof(issuer.nonce()), **chosen)
        assert found.json() == {"credentials": [{"credential": award}]}
    unclear = issuer.take(access, issuer.proof(issuer.nonce()))
    assert unclear.json()["error"] == "unknown_credential_identifier"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"grant_type": "authorization_code"}, "unsupported_grant_type"),
        ({"pre-authorized_code": "x"}, "invalid_grant"),
        ({"tx_code": ""}, "invalid_grant"),
        ({"tx_code": "abcdef"}, "invalid_grant"),
    ],
)
def test_grants_that_are_refused(issuer: Issuer, changes: dict[str, str], error: str) -> None:
    made = issuer.offer()
    done = issuer.grant(made.code, made.tx_code, **changes)
    assert (done.status_code, done.json()["error"]) == (400, error)
    assert issuer.grant(made.code, made.tx_code).status_code == 200


def test_five_wrong_transaction_codes_are_enough(issuer: Issuer) -> None:
    made = issuer.offer()
    for left in (4, 3, 2, 1, 0):
        said = issuer.grant(made.code, "no").json()["error_description"]
        assert said == f"the transaction code is wrong; {left} tries are left"
    assert issuer.grant(made.code, made.tx_code).json()["error"] == "invalid_grant"


def test_a_code_taken_by_many_at_once_is_taken_once(issuer: Issuer) -> None:
    made = issuer.offer()
    codes: list[int] = []
    start = threading.Barrier(20)

    def take() -> None:
        start.wait()
        codes.append(issuer.grant(made.code, made.tx_code).status_code)

    threads = [threading.Thread(target=take) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == [200, *[400] * 19]


def test_secrets_end(issuer: Issuer) -> None:
    made, access, nonce = issuer.offer(), issuer.access(), issuer.nonce()
    issuer.now += timedelta(minutes=6)
    assert issuer.take(access, issuer.proof(nonce)).json()["error"] == "invalid_nonce"
    issuer.now += timedelta(minutes=5)
    done = issuer.take(access, issuer.proof(issuer.nonce()))
    assert (done.status_code, done.json()["error"]) == (401, "invalid_token")
    assert "invalid_token" in done.headers["www-authenticate"]
    issuer.now += timedelta(days=3)
    assert issuer.grant(made.code, made.tx_code).json()["error"] == "invalid_grant"


OTHER = PrivateKey.from_seed(b"o" * 32)
EC = EcdsaPrivateKey.from_secret("P-256", 9)
PROOFS: dict[str, Callable[[Issuer, str], str]] = {
    "none": lambda i, n: "",
    "not a JWT": lambda i, n: "a.b",
    "of another type": lambda i, n: i.proof(n, {"typ": "JWT"}),
    "unsigned": lambda i, n: i.proof(n, {"alg": "none"}),
    "of another algorithm": lambda i, n: i.proof(n, {"alg": "ES256"}),
    "by another key": lambda i, n: i.proof(
        n, {"kid": f"did:key:{OTHER.public_key.multikey}#{OTHER.public_key.multikey}"}
    ),
    "by a key of another method": lambda i, n: i.proof(n, {"kid": "did:web:x.example#key"}),
    "by two keys": lambda i, n: i.proof(n, {"jwk": {"kty": "OKP"}}),
    "with a private key": lambda i, n: i.proof(n, {"kid": None, "jwk": {"kty": "OKP", "d": "x"}}),
    "with extensions": lambda i, n: i.proof(n, {"crit": ["x"]}),
    "for another issuer": lambda i, n: i.proof(n, None, {"aud": "https://other.example"}),
    "from long ago": lambda i, n: i.proof(n, None, {"iat": 1_600_000_000}),
    "from the future": lambda i, n: i.proof(n, None, {"iat": 4_000_000_000}),
    "without a time": lambda i, n: i.proof(n, None, {"iat": None}),
    "without a nonce": lambda i, n: i.proof(n, None, {"nonce": None}),
    "changed": lambda i, n: i.proof(n)[:-4] + "AAAA",
}


@pytest.mark.parametrize("case", PROOFS)
def test_proofs_of_no_key(issuer: Issuer, case: str) -> None:
    access, nonce = issuer.access(), issuer.nonce()
    done = issuer.take(access, PROOFS[case](issuer, nonce))
    assert (done.status_code, done.json()["error"]) == (400, "invalid_proof"), done.text
    assert issuer.bank.wallets.keys(issuer.token) == []
    # The control: the same nonce and token, with a proof that is one.
    assert issuer.take(access, issuer.proof(nonce)).status_code == 200
    assert issuer.take(access, issuer.proof(nonce)).json()["error"] == "invalid_nonce"


def test_requests_that_are_none(issuer: Issuer) -> None:
    access = issuer.access()
    proof = issuer.proof(issuer.nonce())
    both = issuer.take(access, proof, credential_identifier=issuer.awards[0]["id"])
    assert both.json()["error"] == "invalid_credential_request"
    other = issuer.take(access, proof, credential_configuration_id="diploma")
    assert other.json()["error"] == "unknown_credential_configuration"
    sealed = issuer.take(access, proof, credential_response_encryption={"jwk": {}})
    assert sealed.json()["error"] == "invalid_encryption_parameters"
    for proofs in ({}, {"jwt": []}, {"jwt": [proof, proof]}, {"di_vp": [{}]}):
        assert issuer.take(access, proof, proofs=proofs).json()["error"] == "invalid_proof"
    assert issuer.take("no", proof).status_code == 401
    assert issuer.http.post("/openid4vci/credential", json={}).status_code == 401
    assert issuer.take(access, proof).status_code == 200


def test_both_kinds_of_key_are_bound_once(issuer: Issuer) -> None:
    for key in (KEY, EC, KEY):
        assert (
            issuer.take(issuer.access(), issuer.proof(issuer.nonce(), key=key)).status_code == 200
        )
    keys = issuer.bank.wallets.keys(issuer.token)
    assert sorted(keys) == sorted(f"did:key:{key.public_key.multikey}" for key in (KEY, EC))


def test_only_what_is_held_is_offered(issuer: Issuer) -> None:
    from bank.errors import BadRequest, NoSuchThing

    with pytest.raises(NoSuchThing, match="holds no credential"):
        issuer.bank.wallets.offer(issuer.token, ["urn:uuid:0"])
    with pytest.raises(BadRequest, match="1 to 20"):
        issuer.bank.wallets.offer(issuer.token, [])
