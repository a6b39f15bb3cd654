"""The OpenAPI document: what the framework knows of the routes, and who may call each."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI

from bank.authorization.model import EVERYBODY, Caller, Rule

_SCHEMES = {
    "ownerToken": {
        "type": "http",
        "scheme": "bearer",
        "description": "The token of an account, which its learner was given.",
    },
    "session": {
        "type": "http",
        "scheme": "bearer",
        "description": "The token that POST /sessions gave to an API key.",
    },
    "signature": {
        "type": "apiKey",
        "in": "header",
        "name": "Signature-Input",
        "description": (
            "HTTP Message Signatures (RFC 9421), Ed25519, by an API key or a sister bank's key: "
            "Signature-Input, Signature and Content-Digest. Covers @method, @authority, @path, "
            "@query where there is one, and content-digest, with created, expires, nonce and tag."
        ),
    },
    "walletToken": {
        "type": "http",
        "scheme": "bearer",
        "description": "An access token of OpenID4VCI.",
    },
}


def describe(app: FastAPI, table: Mapping[tuple[str, str], Rule]) -> None:
    """Have the application's OpenAPI document say who may call what."""
    plain = app.openapi
    # As OpenAPI writes paths, without the framework's kinds of parameters.
    rules = {(method, path.replace(":path}", "}")): rule for (method, path), rule in table.items()}

    def described() -> dict[str, Any]:
        made = app.openapi_schema is None
        document = plain()
        if made:
            document.setdefault("components", {})["securitySchemes"] = _SCHEMES
            for path, methods in document["paths"].items():
                for method, operation in methods.items():
                    rule = rules[method.upper(), path]
                    if rule.to != EVERYBODY:
                        operation["security"] = _security(rule)
                        operation["x-callers"] = sorted(rule.to)
        return document

    app.openapi = described  # type: ignore[method-assign]


def _security(rule: Rule) -> list[dict[str, list[str]]]:
    if Caller.OWNER in rule.to:
        return [{"ownerToken": []}]
    if Caller.WALLET in rule.to:
        return [{"walletToken": []}]
    if Caller.SISTER in rule.to or rule.signed:
        return [{"signature": []}]
    return [{"session": []}, {"signature": []}]
