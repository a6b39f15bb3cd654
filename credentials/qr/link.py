"""The URL a QR code holds: `https://<domain>/v#1<digits>`.

The bundle sits in the fragment, so a phone's camera can open the page and the page can verify
without anything being sent to a server. The digit after `#` is the format number.
"""

import re

from credentials.errors import BadQR
from credentials.qr.compact import from_bytes, to_bytes
from credentials.qr.digits import MAX_DIGITS, bytes_to_digits, digits_to_bytes
from keys import Json

FORMAT = "1"
_LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*(?::[1-9][0-9]{{0,4}})?")
_URL = re.compile(r"https://([^/?#\s]{1,260})/v#([0-9])([0-9]*)")


def to_digits(credential: dict[str, Json], receipt: str | None = None) -> str:
    """The compact bundle as decimal digits, without the format number.

    `receipt` is tlog-proof text whose extra line holds the entry bytes, or a landmark receipt. The
    credential keeps only its eddsa-jcs-2022 proof and a full receipt only its Ed25519 signature
    lines; all else comes back byte for byte. Raises `BadQR` where that cannot be had.
    """
    digits = bytes_to_digits(to_bytes(credential, receipt))
    if len(digits) > MAX_DIGITS:
        raise BadQR("this credential is too large for a QR code; share it as a file")
    return digits


def from_digits(digits: str) -> tuple[dict[str, Json], str | None]:
    """The credential and the receipt, if there is one; raises `BadQR` on any malformed digits."""
    return from_bytes(digits_to_bytes(digits))


def qr_url(domain: str, digits: str) -> str:
    """The URL to put into a symbol; raises `BadQR` if `domain` is not a lower-case host name."""
    if not _DOMAIN.fullmatch(domain):
        raise BadQR(f"{domain[:60]!r} is not a domain name in lower case")
    return f"https://{domain}/v#{FORMAT}{digits}"


def parse_url(url: str) -> tuple[str, str]:
    """Domain and digits of a credential's URL; raises `BadQR` if it is some other URL or format."""
    match = _URL.fullmatch(url)
    if match is None or not _DOMAIN.fullmatch(match[1]):
        raise BadQR("this QR code holds no credential: it is not of the form https://…/v#1…")
    domain, number, digits = match.groups()
    if number != FORMAT:
        raise BadQR(f"this QR code has format {number}; this version reads format {FORMAT} only")
    if not digits:
        raise BadQR("this QR code holds no credential: nothing follows its format number")
    return domain, digits
