"""What the issuer says of itself, and the offer (OpenID4VCI 1.0, sections 4.1 and 12.2)."""

from collections.abc import Mapping
from urllib.parse import quote

from credentials import SUITES
from credentials.achievement import CONTEXT, TYPES
from keys import Json, encode

CONFIGURATION = "award"
PRE_AUTHORIZED = "urn:ietf:params:oauth:grant-type:pre-authorized_code"
TX_CODE_LENGTH = 6
ALGORITHMS = ("EdDSA", "ES256")


def issuer_metadata(base: str, names: Mapping[str, str]) -> dict[str, Json]:
    """The Credential Issuer Metadata; `base` is the issuer's identifier, an https URL."""
    algorithms: list[Json] = list(ALGORITHMS)
    suites: list[Json] = list(SUITES)
    display: list[Json] = [
        {"name": name, "locale": language} for language, name in sorted(names.items())
    ]
    return {
        "credential_issuer": base,
        "credential_endpoint": f"{base}/openid4vci/credential",
        "nonce_endpoint": f"{base}/openid4vci/nonce",
        "display": display,
        "credential_configurations_supported": {
            CONFIGURATION: {
                "format": "ldp_vc",
                "credential_definition": {"@context": list(CONTEXT), "type": list(TYPES)},
                "cryptographic_binding_methods_supported": ["did:key"],
                "credential_signing_alg_values_supported": suites,
                "proof_types_supported": {
                    "jwt": {"proof_signing_alg_values_supported": algorithms}
                },
                "credential_metadata": {
                    "display": [
                        {"name": "学习成果授予", "locale": "zh"},
                        {"name": "Credit award", "locale": "en"},
                    ]
                },
            }
        },
    }


def server_metadata(base: str) -> dict[str, Json]:
    """The Authorization Server Metadata (RFC 8414)."""
    return {
        "issuer": base,
        "token_endpoint": f"{base}/openid4vci/token",
        "grant_types_supported": [PRE_AUTHORIZED],
        "response_types_supported": [],
        "token_endpoint_auth_methods_supported": ["none"],
        "pre-authorized_grant_anonymous_access_supported": True,
    }


def offer(base: str, code: str) -> dict[str, Json]:
    """The Credential Offer of a pre-authorised code that takes a transaction code."""
    return {
        "credential_issuer": base,
        "credential_configuration_ids": [CONFIGURATION],
        "grants": {
            PRE_AUTHORIZED: {
                "pre-authorized_code": code,
                "tx_code": {
                    "input_mode": "numeric",
                    "length": TX_CODE_LENGTH,
                    "description": "交易码由学分银行另行告知。 The code your credit bank gave you.",
                },
            }
        },
    }


def offer_uri(base: str, code: str) -> str:
    """The offer as the link that opens a wallet."""
    text = quote(encode(offer(base, code)).decode(), safe="")
    return f"openid-credential-offer://?credential_offer={text}"
