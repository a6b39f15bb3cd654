"""What is shown to a verifier: a bundle, a bare credential, a certificate, a badge, a QR code."""

from dataclasses import dataclass, replace

from credentials.errors import BadBadge, BadQR, CredentialsError
from keys import Json, KeysError, encode, parse, parse_exact
from verifier.errors import Unreadable

_LIMIT = 1024 * 1024
_PICTURE_LIMIT = 64 * 1024 * 1024
_PICTURES = (
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
    b"RIFF",
    b"BM",
    b"II*\0",
    b"MM\0*",
    b"<svg",
    b"<?xml",
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """A credential, and its receipt (tlog-proof text) where there is one."""

    credential: dict[str, Json]
    receipt: str | None
    form: str
    """How it came: `bundle`, `credential`, `pdf`, `badge` or `qr`."""


def read_evidence(data: bytes, name: str) -> Evidence:
    """The evidence in a file's bytes; Unreadable, naming the file, where there is none."""
    if not data:
        raise Unreadable(f"{name} is empty")
    if b"%PDF-" in data[:1024]:
        return _certificate(data, name)
    if data.startswith(_PICTURES):
        baked = _badge(data, name)
        if baked is not None:
            return baked
        if len(data) > _PICTURE_LIMIT:
            raise Unreadable(f"{name} is too large for a picture of a QR code")
        from credentials.qr import scan

        try:
            return read_qr_url(scan(data, name))
        except BadQR as error:
            raise Unreadable(str(error)) from error
    if len(data) > _LIMIT:
        raise Unreadable(f"{name} has {len(data)} bytes; no credential is over {_LIMIT}")
    if data.startswith(b"https://"):
        return read_qr_url(data.decode("ascii", "replace").strip())
    try:
        value = parse(data, limit=_LIMIT)
        if isinstance(value, dict) and ("receipt" in value or "credential" in value):
            return _bundle(parse_exact(data, limit=_LIMIT), name)
    except KeysError as error:
        raise Unreadable(f"{name} cannot be read as a credential: {error}") from error
    if not isinstance(value, dict) or "credentialSubject" not in value:
        raise Unreadable(f"{name} is no credential, no bundle and no picture of a QR code")
    return Evidence(value, None, "credential")


def read_qr_url(url: str) -> Evidence:
    """The evidence in the URL of a QR code; Unreadable where there is none."""
    # Imported where a QR code is met: a file does not wait for its dictionary.
    from credentials.qr import from_digits, parse_url

    try:
        credential, receipt = from_digits(parse_url(url)[1])
    except BadQR as error:
        raise Unreadable(str(error)) from error
    return Evidence(credential, receipt, "qr")


def write_bundle(credential: dict[str, Json], receipt: str) -> bytes:
    """The exact bytes of the bundle that a learner shares."""
    return encode({"credential": credential, "receipt": receipt})


def _certificate(data: bytes, name: str) -> Evidence:
    from credentials.certificate import read_attachment

    try:
        bundle = read_attachment(data)
        return replace(_bundle(parse_exact(bundle, limit=_LIMIT), name), form="pdf")
    except (CredentialsError, KeysError) as error:
        raise Unreadable(f"{name} cannot be read as a certificate: {error}") from error


def _badge(data: bytes, name: str) -> Evidence | None:
    """The evidence baked into a picture, which then counts before any QR code on it."""
    from credentials.baking import unbake_png, unbake_svg

    try:
        baked = None
        if data.startswith(b"\x89PNG"):
            baked = unbake_png(data)
        elif data.startswith((b"<svg", b"<?xml")):
            baked = unbake_svg(data)
        if baked is None:
            return None
        credential = parse(baked.credential, limit=_LIMIT)
    except (BadBadge, KeysError) as error:
        raise Unreadable(f"{name} cannot be read as a badge: {error}") from error
    if not isinstance(credential, dict):
        raise Unreadable(f"{name} holds something that is no credential")
    return Evidence(credential, baked.receipt, "badge")


def _bundle(value: Json, name: str) -> Evidence:
    if isinstance(value, dict) and set(value) == {"credential", "receipt"}:
        credential, receipt = value["credential"], value["receipt"]
        if isinstance(credential, dict) and isinstance(receipt, str):
            return Evidence(credential, receipt, "bundle")
    raise Unreadable(f"{name} is not a bundle: a bundle has the fields credential and receipt")
