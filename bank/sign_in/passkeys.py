"""Passkeys (WebAuthn Level 3), checked by a library; a challenge works once.

The library is loaded where it is used: it takes a tenth of a second, and commands have no passkeys.
"""

import json
from base64 import urlsafe_b64decode
from dataclasses import dataclass

from bank.errors import BadRequest, NotAllowed
from bank.sign_in.model import Site

_BAD = "the browser's answer is not that of a passkey; try again"


@dataclass(frozen=True, slots=True)
class NewPasskey:
    """A passkey that was just made."""

    credential: bytes
    public_key: bytes
    count: int


def registration_options(
    site: Site, issuer: str, person: str, login: str, challenge: bytes, known: list[bytes]
) -> str:
    """What the browser is asked when a passkey is made, as JSON."""
    import webauthn
    from webauthn.helpers.structs import (
        AuthenticatorSelectionCriteria,
        PublicKeyCredentialDescriptor,
        ResidentKeyRequirement,
        UserVerificationRequirement,
    )

    options = webauthn.generate_registration_options(
        rp_id=site.host,
        rp_name=issuer,
        user_id=person.encode(),
        user_name=login,
        challenge=challenge,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=item) for item in known],
    )
    return webauthn.options_to_json(options)


def authentication_options(site: Site, challenge: bytes) -> str:
    """What the browser is asked when somebody signs in, as JSON; it knows which passkeys it has."""
    import webauthn
    from webauthn.helpers.structs import UserVerificationRequirement

    options = webauthn.generate_authentication_options(
        rp_id=site.host,
        challenge=challenge,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return webauthn.options_to_json(options)


def challenge_of(answer: str) -> bytes:
    """The challenge that an answer says it is to."""
    try:
        data = json.loads(answer)["response"]["clientDataJSON"]
        challenge = json.loads(urlsafe_b64decode(data + "=="))["challenge"]
        return urlsafe_b64decode(challenge + "==")
    except (KeyError, TypeError, ValueError) as error:
        raise BadRequest(_BAD) from error


def credential_of(answer: str) -> bytes:
    """The passkey that an answer says it is by."""
    try:
        return urlsafe_b64decode(json.loads(answer)["rawId"] + "==")
    except (KeyError, TypeError, ValueError) as error:
        raise BadRequest(_BAD) from error


def check_registration(site: Site, answer: str, challenge: bytes) -> NewPasskey:
    """The passkey that was made; BadRequest where the answer does not hold."""
    import webauthn
    from webauthn.helpers.exceptions import WebAuthnException

    try:
        done = webauthn.verify_registration_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=site.host,
            expected_origin=site.origin,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError) as error:
        raise BadRequest(f"the passkey could not be added: {error}") from error
    return NewPasskey(done.credential_id, done.credential_public_key, done.sign_count)


def check_authentication(
    site: Site, answer: str, challenge: bytes, public_key: bytes, count: int
) -> int:
    """The passkey's new signature count; NotAllowed where its signature does not hold."""
    import webauthn
    from webauthn.helpers.exceptions import WebAuthnException

    try:
        done = webauthn.verify_authentication_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=site.host,
            expected_origin=site.origin,
            credential_public_key=public_key,
            credential_current_sign_count=count,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError) as error:
        raise NotAllowed(f"the passkey's answer does not hold: {error}") from error
    return done.new_sign_count
