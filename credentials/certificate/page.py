"""The certificate as a PDF: one A4 page in two languages, PDF/A-3, the bundle attached.

Nothing on it looks like a verdict: a print proves nothing by itself, and the page says so.
"""

import io
import re
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING

from credentials.certificate.attachment import ATTACHMENT
from credentials.certificate.facts import CertificateFacts
from credentials.certificate.typeface import FALLBACK, MAIN, typeface, writable
from credentials.errors import BadCertificate

if TYPE_CHECKING:
    from fpdf import FPDF

_WIDTH, _HEIGHT, _MARGIN = 210.0, 297.0, 24.0
_INK, _SOFT, _LINE, _BAND = (24, 33, 48), (92, 104, 122), (206, 213, 222), (23, 78, 105)
_QR = 42.0
_POINT = 25.4 / 72
_MODIFIED = re.compile(rb'xmp:(Modify|Metadata)Date="[^"]*"')


def certificate_pdf(
    facts: CertificateFacts, bank: str, bundle: bytes, qr: bytes, made: datetime
) -> bytes:
    """The page of a credential as PDF; the same input gives the same bytes.

    `bank` names the credit bank, `bundle` is what is attached, `qr` the PNG of its symbol, and
    `made` (aware) the time the document says it was made. BadCertificate where it cannot be set.
    """
    from fpdf import FPDF
    from fpdf.errors import FPDFException

    mark = sha256(f"{facts}{bank}{made}".encode() + bundle + qr).hexdigest()[:32].upper()

    class Document(FPDF):
        def file_id(self) -> str:
            return f"<{mark}><{mark}>"

    try:
        pdf = Document(format="A4", enforce_compliance="PDF/A-3B")
        pdf.set_creation_date(made)
        pdf.set_lang("zh-CN")
        pdf.set_title(writable(f"{facts.learner} · {facts.achievement}"))
        pdf.set_author(writable(facts.issuer))
        pdf.set_producer("creditbank")
        pdf.set_creator("creditbank")
        pdf.set_auto_page_break(False)
        pdf.add_font("main", fname=typeface(MAIN))
        pdf.add_font("other", fname=typeface(FALLBACK))
        pdf.set_fallback_fonts(["other"])
        pdf.add_page()
        _draw(pdf, facts, bank, qr)
        pdf.embed_file(
            bytes=bundle,
            basename=ATTACHMENT,
            mime_type="application/json",
            modification_date=made,
            associated_file_relationship="Data",
            desc="The credential and its ledger receipt, for verification",
        )
        # fpdf2 writes the present time there, and the same input would give another file.
        moment = made.astimezone(UTC).isoformat(timespec="seconds").encode()
        return _MODIFIED.sub(rb'xmp:\1Date="%s"' % moment, bytes(pdf.output()))
    except FPDFException as error:
        raise BadCertificate(f"the certificate cannot be made: {error}") from error


def _draw(pdf: "FPDF", facts: CertificateFacts, bank: str, qr: bytes) -> None:
    pdf.set_fill_color(*_BAND)
    pdf.rect(0, 0, _WIDTH, 7, style="F")
    pdf.rect(0, _HEIGHT - 3, _WIDTH, 3, style="F")
    y = _line(pdf, 22, bank, 11, _SOFT)
    y = _line(pdf, y + 12, "学习成果证书", 30, _INK)
    y = _line(pdf, y + 1, "Certificate of Achievement", 15, _SOFT)
    y = _line(pdf, y + 16, "兹证明  This is to state that", 10, _SOFT)
    y = _line(pdf, y + 3, facts.learner, 27, _INK)
    y = _line(
        pdf, y + 9, "完成下列学习并通过考核  has completed, and passed the assessment of", 10, _SOFT
    )
    y = _wrapped(pdf, y + 3, facts.achievement, 19, _INK, lines=3)
    y = _table(pdf, max(y + 10, 152.0), facts)
    _foot(pdf, facts, qr)


def _table(pdf: "FPDF", y: float, facts: CertificateFacts) -> float:
    scheme = {"standard-credit": "标准学分 Standard credit"}.get(facts.scheme, facts.scheme)
    rows = [
        ("授予机构  Awarded by", facts.issuer),
        ("学分  Credits", f"{facts.credits}   {scheme}" if facts.credits else ""),
        ("等级  Level", facts.level),
        ("课程代码  Unit" if facts.credits else "代码  Code", facts.code),
        ("成绩  Result", facts.grade),
        ("授予日期  Date of award", facts.awarded),
        ("有效期至  Valid until", facts.until),
    ]
    pdf.set_draw_color(*_LINE)
    pdf.set_line_width(0.2)
    for label, value in rows:
        if not value.strip():
            continue
        pdf.line(_MARGIN, y, _WIDTH - _MARGIN, y)
        _at(pdf, _MARGIN, y + 1.6, 52, label, 9, _SOFT)
        _at(pdf, _MARGIN + 54, y + 1.2, _WIDTH - 2 * _MARGIN - 54, value, 10.5, _INK)
        y += 7.6
    pdf.line(_MARGIN, y, _WIDTH - _MARGIN, y)
    return y


def _foot(pdf: "FPDF", facts: CertificateFacts, qr: bytes) -> None:
    y = _HEIGHT - 22 - _QR
    pdf.image(io.BytesIO(qr), _MARGIN - 2, y, _QR, _QR)
    x, width = _MARGIN + _QR + 6, _WIDTH - 2 * _MARGIN - _QR - 6
    texts = [
        ("如何核验  How to check", 11, _INK),
        ("用手机扫描左侧二维码；无需联网，无需账号。", 9, _INK),
        ("Scan the code with a phone: no account, and no network needed.", 9, _INK),
        ("也可核验本文件：creditbank verify certificate.pdf", 9, _INK),
        ("This file carries the signed credential and its ledger receipt.", 9, _INK),
        ("纸面或截图本身不是证明。 A print or picture by itself proves nothing.", 9, _SOFT),
        (facts.identifier, 7.5, _SOFT),
    ]
    place = y + 2
    for text, size, colour in texts:
        _at(pdf, x, place, width, text, size, colour)
        place += size * _POINT * 1.62


def _line(pdf: "FPDF", y: float, text: str, size: float, colour: tuple[int, int, int]) -> float:
    """One line, set smaller until it fits; where the next may begin."""
    _at(pdf, _MARGIN, y, _WIDTH - 2 * _MARGIN, text, size, colour)
    return y + size * _POINT * 1.3


def _at(
    pdf: "FPDF",
    x: float,
    y: float,
    width: float,
    text: str,
    size: float,
    colour: tuple[int, int, int],
) -> None:
    shown = writable(text)
    pdf.set_text_color(*colour)
    pdf.set_font("main", size=size)
    while pdf.get_string_width(shown) > width and size > 5:
        size -= 0.5
        pdf.set_font("main", size=size)
    while pdf.get_string_width(shown) > width and len(shown) > 2:
        shown = shown[:-2] + "…"
    pdf.set_xy(x, y)
    pdf.cell(width, size * _POINT * 1.25, shown)


def _wrapped(
    pdf: "FPDF", y: float, text: str, size: float, colour: tuple[int, int, int], lines: int
) -> float:
    """Several lines, set smaller until there are no more than `lines` of them."""
    width = _WIDTH - 2 * _MARGIN
    shown = writable(text)
    pdf.set_text_color(*colour)
    while True:
        pdf.set_font("main", size=size)
        height = size * _POINT * 1.35
        parts = _lines(pdf, width, shown)
        if len(parts) <= lines or size <= 7:
            break
        size -= 1
    for part in parts[: 2 * lines]:
        pdf.set_xy(_MARGIN, y)
        pdf.cell(width, height, part)
        y += height
    return y


def _lines(pdf: "FPDF", width: float, text: str) -> list[str]:
    """A text broken to a width: between Latin words, and after any Chinese character."""
    lines, line = [], ""
    for part in re.findall(r"[!-\u2e7f]+ ?|.", text):
        if line and pdf.get_string_width(line + part.rstrip()) > width:
            lines.append(line.rstrip())
            line = ""
        line += part
    return [*lines, line.rstrip()]
