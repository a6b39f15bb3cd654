"""Reading the URL of a credential from a picture: PNG, JPEG, a photo or a screenshot."""

import io
import re
import warnings

from credentials.errors import BadQR
from credentials.qr.link import parse_url

_PIXEL_LIMIT = 100_000_000
_SVG_LIMIT = 1024 * 1024
_SVG_SIZE = re.compile(rb'viewBox="0 0 (\d{1,3}) \1"')
_SVG_RUN = re.compile(rb"M(\d{1,3}) (\d{1,3})h(\d{1,3})v1")


def scan(image: bytes, name: str = "the image") -> str:
    """The URL in the QR code of `image` (`name` is how errors call it).

    Codes that hold something else are passed over where one holds a credential. Raises `BadQR`
    where the bytes are no picture, or there is no QR code, or no or more than one credential.
    """
    import zxingcpp
    from PIL import Image, UnidentifiedImageError

    if image.lstrip().startswith(b"<"):
        image = _drawn(image, name)

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            picture = Image.open(io.BytesIO(image))
            if picture.width * picture.height > _PIXEL_LIMIT:
                raise BadQR(f"{name} has more than {_PIXEL_LIMIT // 1_000_000} megapixels")
            grey = picture.convert("L")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise BadQR(f"{name} is not a picture that can be read") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise BadQR(f"{name} has too many pixels") from error
    formats = zxingcpp.barcode_formats_from_str("QRCode")
    texts = {code.text for code in zxingcpp.read_barcodes(grey, formats=formats) if code.valid}
    if not texts:
        raise BadQR(f"no QR code found in {name}")
    urls = [text for text in sorted(texts) if _is_credential(text)]
    if len(urls) > 1:
        raise BadQR(f"{name} shows more than one credential; crop it to one QR code")
    if not urls:
        raise BadQR(f"the QR code in {name} holds no credential")
    return urls[0]


def _drawn(svg: bytes, name: str) -> bytes:
    """The modules of an SVG as `qr_svg` writes it, as PNG; other drawings are not interpreted."""
    from PIL import Image, ImageDraw

    size = _SVG_SIZE.search(svg[:1024])
    runs = _SVG_RUN.findall(svg) if len(svg) < _SVG_LIMIT else []
    if size is None or not runs or not 0 < int(size[1]) <= 200:
        raise BadQR(f"{name} is not one of our QR codes in SVG; convert the drawing to PNG")
    side = int(size[1])
    picture = Image.new("L", (side, side), 255)
    draw = ImageDraw.Draw(picture)
    for x, y, width in runs:
        draw.line((int(x), int(y), int(x) + int(width) - 1, int(y)), fill=0)
    out = io.BytesIO()
    picture.resize((side * 4, side * 4), Image.Resampling.NEAREST).save(out, "PNG")
    return out.getvalue()


def _is_credential(text: str) -> bool:
    try:
        parse_url(text)
    except BadQR:
        return False
    return True
