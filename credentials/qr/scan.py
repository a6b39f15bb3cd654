"""Reading the URL of a credential from a picture: PNG, JPEG, a photo or a screenshot."""

import io
import warnings

from credentials.qr.errors import BadQR
from credentials.qr.link import parse_url

_PIXEL_LIMIT = 100_000_000


def scan(image: bytes, name: str = "the image") -> str:
    """The URL in the QR code of `image` (`name` is how errors call it).

    Codes that hold something else are passed over where one holds a credential. Raises `BadQR`
    where the bytes are no picture, or there is no QR code, or no or more than one credential.
    """
    import zxingcpp
    from PIL import Image, UnidentifiedImageError

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


def _is_credential(text: str) -> bool:
    try:
        parse_url(text)
    except BadQR:
        return False
    return True
