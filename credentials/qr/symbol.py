"""Which symbol a bundle gets, and the symbol as PNG or SVG.

Error correction M up to version 22 prints well at 40 mm and survives glare best: room for a
credential with its landmark receipt. Until an entry has a landmark the full receipt is set at L up
to version 25. What does not fit is dropped, and the caller is told so; what still does not fit
travels as a file. The URL is one byte segment up to the format number's `#` and one numeric segment
after it.
"""

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from credentials.errors import BadQR
from credentials.qr.compact import to_bytes
from credentials.qr.digits import bytes_to_digits
from credentials.qr.landmark import landmark_receipt
from credentials.qr.link import parse_url, qr_url
from keys import Json

if TYPE_CHECKING:
    from qrcode.main import QRCode

ErrorCorrection = Literal["M", "L"]

_LIMITS: tuple[tuple[ErrorCorrection, int], ...] = (("M", 22), ("L", 25))
# ISO/IEC 18004: the quiet zone in modules, and the mode indicators of the two segments.
_QUIET_ZONE = 4
_NUMERIC_MODE: Literal[1] = 1
_BYTE_MODE: Literal[4] = 4


@dataclass(frozen=True)
class Symbol:
    """A URL and the symbol it fits; `note` says what had to be left out, if anything."""

    url: str
    version: int
    error_correction: ErrorCorrection
    has_receipt: bool
    note: str | None


def choose_symbol(domain: str, credential: dict[str, Json], receipt: str | None = None) -> Symbol:
    """The symbol of a credential, with its receipt if that fits; `BadQR` if nothing does.

    `receipt` is the full one; the landmark receipt in it is carried as soon as there is one.
    """
    if receipt is not None:
        carried = landmark_receipt(receipt) or receipt
        url = qr_url(domain, bytes_to_digits(to_bytes(credential, carried)))
        fit = _fit(url)
        if fit is not None:
            return Symbol(url, *fit, has_receipt=True, note=None)
    url = qr_url(domain, bytes_to_digits(to_bytes(credential, None)))
    fit = _fit(url)
    if fit is None:
        raise BadQR(_TOO_LARGE)
    note = None if receipt is None else _WITHOUT_RECEIPT
    return Symbol(url, *fit, has_receipt=False, note=note)


_TOO_LARGE = "this credential is too large for a QR code that prints well; share it as a file"
_WITHOUT_RECEIPT = (
    "the ledger receipt does not fit into the QR code and was left out;"
    " the credential's file carries it"
)


def qr_png(url: str, *, pixels_per_module: int = 8) -> bytes:
    """The URL as a PNG image, black on white, with its quiet zone."""
    from PIL import Image

    rows = _modules(url)
    side = len(rows)
    image = Image.new("1", (side, side), 1)
    image.putdata([0 if dark else 1 for row in rows for dark in row])
    image = image.resize((side * pixels_per_module,) * 2, Image.Resampling.NEAREST)
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()


def link_png(link: str) -> bytes:
    """Any link as a PNG of a QR code, for whatever on a phone opens it."""
    from qrcode.constants import ERROR_CORRECT_M
    from qrcode.main import QRCode

    code = QRCode(error_correction=ERROR_CORRECT_M, border=_QUIET_ZONE)
    code.add_data(link)
    out = io.BytesIO()
    code.make_image().save(out)
    return out.getvalue()


def qr_svg(url: str, *, millimetres: float = 40.0) -> bytes:
    """The URL as an SVG image of the given width, black on white, with its quiet zone."""
    rows = _modules(url)
    side = len(rows)
    path = "".join(
        f"M{x} {y}h{width}v1h-{width}z" for y, row in enumerate(rows) for x, width in _runs(row)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{millimetres:g}mm" '
        f'height="{millimetres:g}mm" viewBox="0 0 {side} {side}" shape-rendering="crispEdges">'
        f'<path fill="#fff" d="M0 0h{side}v{side}H0z"/><path d="{path}"/></svg>\n'
    ).encode("ascii")


def _runs(row: list[bool]) -> list[tuple[int, int]]:
    """Start and width of each run of dark modules."""
    runs: list[tuple[int, int]] = []
    for x, dark in enumerate(row):
        if dark and runs and sum(runs[-1]) == x:
            runs[-1] = (runs[-1][0], runs[-1][1] + 1)
        elif dark:
            runs.append((x, 1))
    return runs


def _modules(url: str) -> list[list[bool]]:
    fit = _fit(url)
    if fit is None:
        raise BadQR(_TOO_LARGE)
    version, level = fit
    code = _code(url, level)
    code.version = version
    code.make(fit=False)
    return [[bool(module) for module in row] for row in code.get_matrix()]


def _fit(url: str) -> tuple[int, ErrorCorrection] | None:
    """The smallest version at the best level that holds the URL, or None."""
    for level, largest in _LIMITS:
        try:
            version = _code(url, level).best_fit(start=1)
        except ValueError:  # the library's way to say that no version is large enough
            continue
        if version <= largest:
            return version, level
    return None


def _code(url: str, level: ErrorCorrection) -> "QRCode[Any]":
    from qrcode.constants import ERROR_CORRECT_L, ERROR_CORRECT_M
    from qrcode.main import QRCode
    from qrcode.util import QRData

    parse_url(url)
    base, mark, digits = url.partition("#")
    code = QRCode(
        error_correction={"M": ERROR_CORRECT_M, "L": ERROR_CORRECT_L}[level], border=_QUIET_ZONE
    )
    code.add_data(QRData((base + mark).encode("ascii"), mode=_BYTE_MODE))
    code.add_data(QRData(digits.encode("ascii"), mode=_NUMERIC_MODE))
    return code
