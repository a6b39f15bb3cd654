"""QR codes as cameras see them: small, blurred, turned, with a glare on them; and their readers."""

from __future__ import annotations

import base64
import io
import json
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFilter

from credentials.qr import qr_png

REPO = Path(__file__).resolve().parent.parent
MODULE = 3
"""Pixels a module: a phone held too far away."""


Change = Callable[[Image.Image], Image.Image]


def blurred(radius: float) -> Change:
    """Out of focus by this many pixels (standard deviation)."""
    return lambda picture: picture.filter(ImageFilter.GaussianBlur(radius))


def turned(picture: Image.Image) -> Image.Image:
    """By seven degrees."""
    return picture.rotate(7, Image.Resampling.BICUBIC, expand=True, fillcolor=255)


def glaring(percent: float) -> Change:
    """A white patch over so much of the symbol, beside its middle."""

    def change(picture: Image.Image) -> Image.Image:
        side = picture.width
        radius = round((percent / 100 / 3.1416) ** 0.5 * side)
        centre = round(side * 0.58)
        made = picture.copy()
        box = (centre - radius, centre - radius, centre + radius, centre + radius)
        ImageDraw.Draw(made).ellipse(box, fill=255)
        return made

    return change


def together(*changes: Change) -> Change:
    def change(picture: Image.Image) -> Image.Image:
        for one in changes:
            picture = one(picture)
        return picture

    return change


USUAL: dict[str, Change] = {
    "as printed": together(),
    "blur 0.9 px": blurred(0.9),
    "turned 7°": turned,
    "blurred and turned": together(turned, blurred(0.9)),
    "glare 3 %": glaring(3),
    "all three": together(glaring(3), turned, blurred(0.9)),
}
"""What must be read, always."""
HARD: dict[str, Change] = {
    "blur 1.5 px": blurred(1.5),
    "blur 2 px": blurred(2),
    "glare 5 %": glaring(5),
    "glare 8 %": glaring(8),
    "glare 8 %, blurred, turned": together(glaring(8), turned, blurred(0.9)),
}
CONDITIONS = USUAL | HARD


def seen(url: str, condition: str) -> bytes:
    """The QR code of a URL at 3 pixels a module under a condition, as PNG."""
    picture = Image.open(io.BytesIO(qr_png(url, pixels_per_module=MODULE))).convert("L")
    out = io.BytesIO()
    CONDITIONS[condition](picture).save(out, "PNG")
    return out.getvalue()


def by_zxing_cpp(pictures: Sequence[bytes]) -> list[str | None]:
    """What the command's own decoder reads."""
    import zxingcpp

    formats = zxingcpp.barcode_formats_from_str("QRCode")
    read: list[str | None] = []
    for picture in pictures:
        found = zxingcpp.read_barcodes(Image.open(io.BytesIO(picture)), formats=formats)
        read.append(next((code.text for code in found if code.valid), None))
    return read


def by_zxing_wasm(pictures: Sequence[bytes]) -> list[str | None]:
    """What the page's decoder reads."""
    if shutil.which("node") is None:
        pytest.skip("Node is not on this machine: scripts/peers installs it")
    done = subprocess.run(
        ["node", str(REPO / "tests" / "peers" / "qr_reader.mjs")],
        input="\n".join(base64.b64encode(picture).decode() for picture in pictures),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.removesuffix("\n").split("\n")]


READERS = {"zxing-cpp": by_zxing_cpp, "zxing-wasm": by_zxing_wasm}
