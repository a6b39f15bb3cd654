"""Passwords (Argon2id) and their second factor (TOTP, RFC 6238): the way in without a passkey."""

import base64
import hmac
from datetime import datetime
from functools import cache
from hashlib import sha256

import pyotp
from nacl import pwhash
from nacl.exceptions import InvalidkeyError

from bank.errors import BadRequest

SHORTEST = 12
_LONGEST = 200
_STEP = 30
_DRIFT = 1


@cache
def _nobody() -> bytes:
    """Checked where there is no such person, so that the answer takes as long."""
    return pwhash.argon2id.str(b"nobody has this password")


def hash_password(password: str) -> str:
    """What is kept of a password; BadRequest where it is too short or too long."""
    if not SHORTEST <= len(password) <= _LONGEST:
        raise BadRequest(f"a password has {SHORTEST} to {_LONGEST} characters")
    return pwhash.argon2id.str(password.encode()).decode()


def password_holds(kept: str, password: str) -> bool:
    """Whether this is the password; `kept` empty is nobody's."""
    try:
        pwhash.verify(kept.encode() or _nobody(), password[:_LONGEST].encode())
    except InvalidkeyError:
        return False
    return bool(kept)


def totp_secret(key: bytes, code: str) -> bytes:
    """The authenticator's secret that goes with an invitation: the same whenever it is shown."""
    return hmac.digest(key, code.encode(), sha256)[:20]


def totp_uri(secret: bytes, login: str, issuer: str) -> str:
    """What an authenticator's QR code holds (Key Uri Format)."""
    return _totp(secret).provisioning_uri(name=login or "me", issuer_name=issuer)


def totp_step(secret: bytes, code: str, now: datetime, after: int) -> int | None:
    """The time step whose code this is, if it is of about now and later than `after`.

    A code works once (RFC 6238, section 5.2), so the caller keeps the step.
    """
    present = int(now.timestamp()) // _STEP
    given = "".join(code.split())
    for step in range(present - _DRIFT, present + _DRIFT + 1):
        if step > after and hmac.compare_digest(_totp(secret).at(step * _STEP), given):
            return step
    return None


def _totp(secret: bytes) -> pyotp.TOTP:
    return pyotp.TOTP(base64.b32encode(secret).decode(), interval=_STEP)
