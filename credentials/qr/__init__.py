"""Credentials as QR codes: `https://<domain>/v#1<digits>`, verifiable with no network.

`compact` describes the bytes behind the digits, `dictionary` what is published once instead of
carried in every symbol, `symbol` the choice of size and error correction.
"""

from credentials.errors import BadQR
from credentials.qr.link import from_digits, parse_url, qr_url, to_digits
from credentials.qr.scan import scan
from credentials.qr.symbol import Symbol, choose_symbol, link_png, qr_png, qr_svg

__all__ = [
    "BadQR",
    "Symbol",
    "choose_symbol",
    "from_digits",
    "link_png",
    "parse_url",
    "qr_png",
    "qr_svg",
    "qr_url",
    "scan",
    "to_digits",
]
