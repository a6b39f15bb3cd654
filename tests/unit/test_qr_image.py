"""Symbols as pictures, and pictures read back."""

import io
import json
import random
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from credentials.qr import BadQR, choose_symbol, from_digits, parse_url, qr_png, qr_svg, scan

Image = pytest.importorskip("PIL.Image")
pytest.importorskip("zxingcpp")

DOMAIN = "chongqing.creditbank.example"
VECTORS = json.loads(
    (Path(__file__).parents[1] / "vectors" / "qr-format-1.json").read_text("utf-8")
)["vectors"]
BUNDLE = next(vector for vector in VECTORS if "receipt" in vector)
URL = choose_symbol(DOMAIN, BUNDLE["credential"], BUNDLE["receipt"]).url


def picture(url: str, pixels: int = 3) -> "Image.Image":
    return Image.open(io.BytesIO(qr_png(url, pixels_per_module=pixels))).convert("L")


def saved(image: "Image.Image", form: str, **options: int) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def test_a_png_reads_back_to_the_same_bundle() -> None:
    domain, digits = parse_url(scan(qr_png(URL)))
    assert domain == DOMAIN
    assert from_digits(digits) == (BUNDLE["credential"], BUNDLE["receipt"])


def test_a_small_rotated_jpeg_reads_back() -> None:
    photo = picture(URL).rotate(7, expand=True, fillcolor=255, resample=Image.Resampling.BICUBIC)
    assert scan(saved(photo, "JPEG", quality=70)) == URL


def test_the_svg_draws_the_same_modules_as_the_png() -> None:
    """Drawn here from its path data, so that no renderer of the system is needed."""
    root = ElementTree.fromstring(qr_svg(URL))
    side = int(str(root.get("viewBox")).split()[2])
    drawn = Image.new("L", (side, side), 255)
    path = str(root[1].get("d"))
    for run in path.removeprefix("M").split("M"):
        x, rest = run.split(" ")
        y, rest = rest.split("h", 1)
        width = rest.split("v")[0]
        for offset in range(int(width)):
            drawn.putpixel((int(x) + offset, int(y)), 0)
    assert drawn.tobytes() == picture(URL, pixels=1).tobytes()


def test_a_picture_without_a_code_is_named_in_the_error() -> None:
    blank = saved(Image.new("L", (300, 300), 255), "PNG")
    with pytest.raises(BadQR, match=r"no QR code found in diploma\.png"):
        scan(blank, "diploma.png")


@pytest.mark.parametrize("data", [b"", b"not a picture", b"\x89PNG\r\n\x1a\n" + bytes(50)])
def test_bytes_that_are_no_picture_are_refused(data: bytes) -> None:
    with pytest.raises(BadQR, match="not a picture"):
        scan(data)


def test_a_truncated_picture_is_refused() -> None:
    data = qr_png(URL)
    with pytest.raises(BadQR):
        scan(data[: len(data) // 2])


def test_a_code_that_holds_something_else_is_refused() -> None:
    import qrcode

    out = io.BytesIO()
    qrcode.make("https://elsewhere.example/").save(out)
    with pytest.raises(BadQR, match="holds no credential"):
        scan(out.getvalue())


def test_two_credentials_in_one_picture_are_refused() -> None:
    other = choose_symbol(DOMAIN, BUNDLE["credential"]).url
    left, right = picture(URL), picture(other)
    both = Image.new("L", (left.width + right.width, max(left.height, right.height)), 255)
    both.paste(left, (0, 0))
    both.paste(right, (left.width, 0))
    with pytest.raises(BadQR, match="more than one credential"):
        scan(saved(both, "PNG"))


@pytest.mark.parametrize("length", [1200, 3000, 30_000])
def test_a_credential_too_large_for_any_symbol_is_refused(length: int) -> None:
    dice = random.Random(1)
    long_text = "".join(chr(dice.randrange(0x4E00, 0x9FA5)) for _ in range(length))
    with pytest.raises(BadQR, match="share it as a file"):
        choose_symbol(DOMAIN, {**BUNDLE["credential"], "name": long_text})


def test_our_own_svg_is_read_back() -> None:
    assert scan(qr_svg(URL), "code.svg") == URL


def test_another_drawing_is_refused_by_name() -> None:
    with pytest.raises(BadQR, match=r"logo\.svg is not one of our QR codes in SVG"):
        scan(b'<svg xmlns="http://www.w3.org/2000/svg"><circle r="4"/></svg>', "logo.svg")
