"""The bundle inside a certificate's PDF, read back: small, one, and nothing else trusted."""

import io
import logging

from credentials.errors import BadCertificate

ATTACHMENT = "credential-bundle.json"
_MOST_PDF = 16 * 1024 * 1024
_MOST = 1024 * 1024
# What is wrong with a PDF is told in one sentence, and not by its reader as well.
logging.getLogger("pypdf").setLevel(logging.CRITICAL)


def read_attachment(pdf: bytes) -> bytes:
    """The bytes of the bundle attached to a certificate; BadCertificate where there is none."""
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    if len(pdf) > _MOST_PDF:
        raise BadCertificate(f"the PDF has {len(pdf)} bytes; no certificate is over {_MOST_PDF}")
    try:
        reader = PdfReader(io.BytesIO(pdf), strict=False)
        if reader.is_encrypted:
            raise BadCertificate("the PDF is encrypted; a certificate is not")
        found = [item.content for item in reader.attachment_list if item.name == ATTACHMENT]
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise BadCertificate("the PDF is damaged and cannot be read") from error
    except (RecursionError, MemoryError, OverflowError) as error:
        raise BadCertificate("the PDF is built to exhaust its reader") from error
    if not found:
        raise BadCertificate(f"the PDF has no attachment {ATTACHMENT}: it is no certificate")
    if len(found) > 1:
        raise BadCertificate(f"the PDF has {len(found)} attachments {ATTACHMENT}; it has one")
    if len(found[0]) > _MOST:
        raise BadCertificate(f"what is attached to the PDF is over {_MOST} bytes")
    return found[0]
