"""The page's camera in a real browser, fed with a film of a QR code: mildly blurred and turned."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageFilter

from credentials.qr import qr_url, to_digits
from credentials.qr.landmark import landmark_receipt
from tests.browser_kit import PHONE, chromium, serving, visiting

DOMAIN = "chongqing.creditbank.example"
SIZE = (1280, 720)


def symbol(text: str, version: int, level: str) -> Image.Image:
    """The text as a QR code of just this version, of 8 pixels a module."""
    from qrcode.constants import ERROR_CORRECT_L, ERROR_CORRECT_M
    from qrcode.main import QRCode
    from qrcode.util import MODE_8BIT_BYTE, MODE_NUMBER, QRData

    code = QRCode(
        version=version,
        error_correction={"L": ERROR_CORRECT_L, "M": ERROR_CORRECT_M}[level],
        border=4,
        box_size=8,
    )
    base, mark, digits = text.partition("#")
    code.add_data(QRData((base + mark).encode(), mode=MODE_8BIT_BYTE))
    if digits:
        code.add_data(QRData(digits.encode(), mode=MODE_NUMBER))
    code.make(fit=True)
    assert code.version == version
    out = io.BytesIO()
    code.make_image().save(out)
    return Image.open(out).convert("L")


def film(path: Path, picture: Image.Image, degrees: float, blur: float) -> Path:
    """Ten frames (YUV4MPEG2) of the picture on a grey table, turned, blurred, a little moving."""
    side = 660
    small = picture.resize((side, side), Image.Resampling.LANCZOS)
    with path.open("wb") as out:
        out.write(f"YUV4MPEG2 W{SIZE[0]} H{SIZE[1]} F10:1 Ip A1:1 C420jpeg\n".encode())
        for number in range(10):
            turned = small.rotate(degrees + number / 5, Image.Resampling.BICUBIC, fillcolor=190)
            frame = Image.new("L", SIZE, 190)
            frame.paste(turned, (300 + number, 30))
            seen = frame.filter(ImageFilter.GaussianBlur(blur))
            out.write(b"FRAME\n" + seen.tobytes() + b"\x80" * (SIZE[0] * SIZE[1] // 2))
    return path


def links(story: Any) -> dict[str, tuple[str, int, str]]:
    value = json.loads(story.bundle.read_bytes())
    credential, receipt = value["credential"], value["receipt"]
    short = qr_url(DOMAIN, to_digits(credential))
    long = qr_url(DOMAIN, to_digits(credential, receipt))
    landmark = qr_url(DOMAIN, to_digits(credential, landmark_receipt(receipt)))
    return {
        "version 12": (short, 12, "L"),
        "version 22 with its landmark receipt": (landmark, 22, "M"),
        "version 24 with its full receipt": (long, 24, "L"),
        "another's link": ("https://evil.example/pay", 5, "M"),
    }


@pytest.mark.parametrize(
    ("which", "degrees", "said"),
    [
        ("version 12", 4, "VERIFIED WITH A CAUTION"),
        ("version 22 with its landmark receipt", -5, "VERIFIED"),
        ("version 24 with its full receipt", 3, "VERIFIED"),
        ("another's link", 0, "https://evil.example/pay"),
    ],
)
def test_the_camera_reads(
    story: Any, tmp_path: Path, which: str, degrees: float, said: str
) -> None:
    link, version, level = links(story)[which]
    seen = film(tmp_path / "film.y4m", symbol(link, version, level), degrees, blur=0.9)
    arguments = (
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={seen}",
    )
    with (
        serving(story.trust.read_bytes()) as site,
        chromium(*arguments) as browser,
        visiting(browser, PHONE) as visit,
    ):
        visit.open(site.page)
        visit.settle()
        visit.page.click("#scan")
        visit.page.wait_for_selector("#camera:not([hidden])")
        outcome = visit.outcome()
        assert said in outcome
        assert not visit.page.is_visible("#camera")
        assert visit.page.evaluate("document.getElementById('video').srcObject") is None
        visit.shot(f"camera-{version}")
        if version == 12:
            assert "ask for the bundle" in visit.checks()["Ledger entry"]


def test_without_a_camera_it_says_what_to_do(story: Any) -> None:
    with (
        serving(story.trust.read_bytes()) as site,
        chromium() as browser,
        visiting(browser, PHONE, "zh-CN") as visit,
    ):
        visit.open(site.page)
        visit.settle()
        visit.page.click("#scan")
        assert "无法使用相机" in visit.outcome()
        assert not visit.page.is_visible("#camera")
        visit.shot("no-camera")
