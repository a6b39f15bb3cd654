"""The certificate: a page for people, the bundle inside it for machines."""

from __future__ import annotations

import io
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from credentials.certificate import (
    CertificateFacts,
    badge_png,
    badge_svg,
    certificate_pdf,
    read_attachment,
    unwritable,
)
from credentials.errors import BadCertificate
from credentials.qr import qr_png, scan

MADE = datetime(2026, 11, 24, 12, tzinfo=UTC)
FACTS = CertificateFacts(
    "urn:uuid:36a5ecd8-bb89-4382-b3cc-506f31146abe",
    "冯建国",
    "计算机应用基础 Foundations of Computing",
    "巴渝开放大学 Bayu Open University",
    "BY102",
    "2.5",
    "4",
    "standard-credit",
    "96",
    "2022-07-08",
    "2030-01-01",
)
BUNDLE = b'{"credential":{},"receipt":"x"}'
URL = "https://chongqing.creditbank.example/v#1" + "0123456789" * 90
QR = qr_png(URL)


def made(facts: CertificateFacts = FACTS, bundle: bytes = BUNDLE) -> bytes:
    return certificate_pdf(facts, "重庆学分银行 Chongqing Credit Bank", bundle, QR, MADE)


def text_of(pdf: bytes) -> str:
    pdfium = pytest.importorskip("pypdfium2")
    return str(pdfium.PdfDocument(pdf)[0].get_textpage().get_text_range())


def test_the_bundle_comes_out_as_it_went_in() -> None:
    pdf = made()
    assert read_attachment(pdf) == BUNDLE
    time.sleep(1.1)  # Whatever the clock of the machine says, the same input gives the same file.
    assert made() == pdf
    assert made(bundle=b"{}") != pdf


def test_it_is_an_archival_pdf_of_one_page() -> None:
    pypdf = pytest.importorskip("pypdf")
    reader = pypdf.PdfReader(io.BytesIO(made()))
    assert len(reader.pages) == 1
    root = reader.trailer["/Root"]
    xmp = root["/Metadata"].get_data().decode()
    assert "<pdfaid:part>3</pdfaid:part>" in xmp
    assert "<pdfaid:conformance>B</pdfaid:conformance>" in xmp
    assert root["/OutputIntents"][0]["/S"] == "/GTS_PDFA1"
    assert root["/AF"][0].get_object()["/AFRelationship"] == "/Data"
    fonts = reader.pages[0]["/Resources"]["/Font"]
    for font in fonts.values():
        descendant = font.get_object()["/DescendantFonts"][0].get_object()
        descriptor = descendant["/FontDescriptor"]
        assert {"/FontFile2", "/FontFile3"} & set(descriptor), "a typeface is not embedded"
    text = text_of(made())
    for shown in (FACTS.learner, "Foundations of Computing", "BY102", "2022-07-08", "2.5"):
        assert shown in text


def test_the_code_on_the_page_scans() -> None:
    pdfium = pytest.importorskip("pypdfium2")
    page = pdfium.PdfDocument(made())[0]
    picture = page.render(scale=150 / 72).to_pil()
    out = io.BytesIO()
    picture.save(out, "PNG")
    assert scan(out.getvalue()) == URL


NAMES = {
    "Latin with marks": ("Łukasz Öztürk-Đặng Ğü", []),
    "Greek": ("Ελένη Παπαδοπούλου", []),
    "rare Chinese": ("㛃䶮龘", []),
    "beyond the typefaces": ("𠮷田", ["𠮷"]),
    "a mark that turns text round": ("abc\u202edef", ["\u202e"]),
    "an emoji": ("李 🎓", ["🎓"]),
}


@pytest.mark.parametrize("case", NAMES)
def test_what_cannot_be_written_is_seen(case: str) -> None:
    name, missing = NAMES[case]
    assert unwritable(name) == missing
    text = text_of(made(replace(FACTS, learner=name)))
    for char in missing:
        assert f"U+{ord(char):04X}" in text
        assert char not in text
    assert badge_png(replace(FACTS, achievement=name))


def test_long_texts_stay_on_the_page() -> None:
    pypdf = pytest.importorskip("pypdf")
    long = replace(
        FACTS, learner="欧阳" * 30, achievement="Foundations of " * 30, issuer="大学" * 60
    )
    reader = pypdf.PdfReader(io.BytesIO(made(long)))
    assert len(reader.pages) == 1
    assert badge_svg(long).decode().count("<text") <= 7


def damaged() -> dict[str, tuple[bytes, str]]:
    pypdf = pytest.importorskip("pypdf")

    def written(writer: Any) -> bytes:
        out = io.BytesIO()
        writer.write(out)
        return out.getvalue()

    def page() -> Any:
        writer = pypdf.PdfWriter()
        writer.add_blank_page(100, 100)
        return writer

    bare, other, two, locked, large = (page() for _ in range(5))
    other.add_attachment("other.json", BUNDLE)
    for _ in range(2):
        two.add_attachment("credential-bundle.json", BUNDLE)
    locked.add_attachment("credential-bundle.json", BUNDLE)
    locked.encrypt("secret")
    large.add_attachment("credential-bundle.json", b"x" * (1024 * 1024 + 1))
    return {
        "none": (written(bare), "no attachment"),
        "another": (written(other), "no attachment"),
        "two": (written(two), "2 attachments"),
        "encrypted": (written(locked), "encrypted"),
        "too large": (written(large), "over"),
        "cut": (made()[:3000], "damaged|no attachment"),
        "nothing but a header": (b"%PDF-1.7\n", "damaged|no attachment"),
        "far too large": (b"%PDF-1.7\n" + bytes(17 * 1024 * 1024), "no certificate is over"),
    }


@pytest.mark.parametrize(
    "case",
    [
        "none",
        "another",
        "two",
        "encrypted",
        "too large",
        "cut",
        "nothing but a header",
        "far too large",
    ],
)
def test_pdfs_that_are_no_certificate(case: str) -> None:
    pdf, reason = damaged()[case]
    with pytest.raises(BadCertificate, match=reason):
        read_attachment(pdf)
