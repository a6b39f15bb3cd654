"""Baked badges: ours read by openbadgeslib, its read by us, and damaged ones told apart."""

from __future__ import annotations

import json
import struct
import zlib
from typing import TYPE_CHECKING, Any

import pytest

from credentials.baking import Baked, bake_png, bake_svg, unbake_png, unbake_svg
from credentials.certificate import badge_png, badge_svg, certificate_facts
from credentials.errors import BadBadge
from keys import encode

if TYPE_CHECKING:
    from conftest import Issued

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><g/></svg>'
RECEIPT = "c2sp.org/tlog-proof@v1\nindex 7\n\nnote\n"
CREDENTIAL = b'{"a":"x]]>y <&> \xe5\xbc\xa0"}'


@pytest.fixture(scope="session")
def peer() -> Any:
    return pytest.importorskip("openbadgeslib.baking")


def pictures(issued: Issued) -> tuple[bytes, bytes]:
    facts = certificate_facts(issued.credential)
    return badge_png(facts), badge_svg(facts)


def test_ours_there(issued: Issued, peer: Any) -> None:
    credential = encode(issued.credential)
    png, svg = pictures(issued)
    baked = bake_png(png, credential, RECEIPT)
    found = peer.extract_png(baked, keyword=peer.ITXT_KEYWORD_OB3)
    assert json.loads(found) == issued.credential
    baked = bake_svg(svg, credential, RECEIPT)
    found = peer.extract_svg(baked, element=peer.SVG_ELEMENT_OB3, text_fallback=True)
    assert json.loads(found) == issued.credential


def test_theirs_here(issued: Issued, peer: Any) -> None:
    credential = encode(issued.credential)
    png, svg = pictures(issued)
    baked = peer.bake_png(png, credential.decode(), keyword=peer.ITXT_KEYWORD_OB3)
    assert unbake_png(baked) == Baked(credential, None)
    baked = peer.bake_svg(
        svg,
        credential.decode(),
        element=peer.SVG_ELEMENT_OB3,
        namespace=peer.SVG_NS_OB3,
        as_text=True,
    )
    found = unbake_svg(baked)
    assert found is not None
    assert json.loads(found.credential) == issued.credential


def test_what_goes_in_comes_out(one: Issued) -> None:
    png, svg = pictures(one)
    for receipt in (None, RECEIPT):
        assert unbake_png(bake_png(png, CREDENTIAL, receipt)) == Baked(CREDENTIAL, receipt)
        found = unbake_svg(bake_svg(svg, CREDENTIAL, receipt))
        assert found is not None
        assert (json.loads(found.credential), found.receipt) == (json.loads(CREDENTIAL), receipt)
    assert unbake_png(png) is None
    assert unbake_svg(svg) is None
    # A PNG that is baked again holds the new one alone; an SVG is not touched twice.
    again = bake_png(bake_png(png, b"{}", RECEIPT), CREDENTIAL)
    assert unbake_png(again) == Baked(CREDENTIAL, None)
    with pytest.raises(BadBadge, match="already"):
        bake_svg(bake_svg(svg, CREDENTIAL), CREDENTIAL)


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", len(body), kind) + body + struct.pack(">I", zlib.crc32(kind + body))


def png(*texts: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0\0"))
    inside = b"".join(chunk(b"iTXt", text) for text in texts)
    return b"\x89PNG\r\n\x1a\n" + body + inside + chunk(b"IEND", b"")


KEYWORD = b"openbadgecredential\0"


def test_a_compressed_text_is_read_up_to_a_limit() -> None:
    packed = KEYWORD + b"\1\0\0\0" + zlib.compress(CREDENTIAL)
    assert unbake_png(png(packed)) == Baked(CREDENTIAL, None)
    bomb = KEYWORD + b"\1\0\0\0" + zlib.compress(bytes(50_000_000), 9)
    with pytest.raises(BadBadge, match="over"):
        unbake_png(png(bomb))


@pytest.mark.parametrize(
    ("picture", "reason"),
    [
        (png(KEYWORD + b"\0\0\0\0{}", KEYWORD + b"\0\0\0\0{}"), "two credentials"),
        (png(KEYWORD + b"\2\0\0\0{}"), "malformed"),
        (png(KEYWORD + b"\0\0{}"), "malformed"),
        (png(KEYWORD + b"\1\0\0\0{}"), "unpacked"),
        (png()[:-12], "cut short"),
        (png()[:-3], "cut short"),
        (png()[:30] + b"\xff" + png()[31:], "checksum"),
        (b"\x89PNG\r\n\x1a\n" + chunk(b"aaAa", b"") * 10_001, "chunks"),
        (b"GIF89a", "not a PNG"),
    ],
)
def test_damaged_pngs(picture: bytes, reason: str) -> None:
    with pytest.raises(BadBadge, match=reason):
        unbake_png(picture)
    assert unbake_png(png(KEYWORD + b"\0\0\0\0{}")) == Baked(b"{}", None)


OB = 'xmlns:o="https://purl.imsglobal.org/ob/v3p0"'


@pytest.mark.parametrize(
    ("picture", "reason"),
    [
        (b'<!DOCTYPE svg [<!ENTITY a "b">]><svg>&a;</svg>', "document type"),
        (f"<svg {OB}><o:credential>{{}}</o:credential><o:credential/></svg>".encode(), "two"),
        (b"<svg><g></svg>", "cannot be read"),
        (b"<svg>&nothing;</svg>", "cannot be read"),
        (f"<svg {OB}><o:credential>{'x' * 1_100_000}</o:credential></svg>".encode(), "over"),
    ],
)
def test_damaged_svgs(picture: bytes, reason: str) -> None:
    with pytest.raises(BadBadge, match=reason):
        unbake_svg(picture)
    good = unbake_svg(f"<svg {OB}><o:credential>{{}}</o:credential></svg>".encode())
    assert good == Baked(b"{}", None)


def test_pictures_that_take_nothing() -> None:
    for picture in (b"<svg/>", b"<html></html>"):
        with pytest.raises(BadBadge, match="not an SVG"):
            bake_svg(picture, CREDENTIAL)
    assert unbake_svg(bake_svg(SVG, CREDENTIAL)) is not None
