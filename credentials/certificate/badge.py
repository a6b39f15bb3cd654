"""The badge's picture: what was achieved and where, and nothing that looks like a verdict."""

import io
from html import escape
from typing import TYPE_CHECKING

from credentials.certificate.facts import CertificateFacts
from credentials.certificate.typeface import FALLBACK, MAIN, characters, typeface, writable

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

_SIDE = 640
_BAND, _PAPER, _INK, _SOFT = "#174e69", "#f7f9fb", "#182130", "#5c687a"
_MOST = 3
"""Lines of a title."""


def badge_svg(facts: CertificateFacts) -> bytes:
    """The badge as SVG; its texts are set by whoever shows it."""
    lines = _broken(facts.achievement, 13)
    number, caption = _number(facts)
    texts = [
        f'<text x="320" y="{250 + 58 * n}" font-size="44" fill="{_INK}">{escape(line)}</text>'
        for n, line in enumerate(lines)
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_SIDE} {_SIDE}" '
        'font-family="Noto Sans SC, PingFang SC, Microsoft YaHei, sans-serif" '
        'text-anchor="middle" role="img">'
        f"<title>{escape(writable(facts.achievement))}</title>"
        f'<rect x="8" y="8" width="624" height="624" rx="56" fill="{_PAPER}" '
        f'stroke="{_BAND}" stroke-width="16"/>'
        f'<text x="320" y="130" font-size="92" fill="{_BAND}">{escape(number)}</text>'
        f'<text x="320" y="172" font-size="26" fill="{_SOFT}">{caption}</text>'
        f"{''.join(texts)}"
        f'<text x="320" y="520" font-size="27" fill="{_INK}">{escape(_short(facts.issuer))}</text>'
        f'<text x="320" y="566" font-size="24" fill="{_SOFT}">{escape(facts.awarded)}</text>'
        "</svg>"
    ).encode()


def badge_png(facts: CertificateFacts) -> bytes:
    """The badge as PNG."""
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (_SIDE, _SIDE), "white")
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((8, 8, 631, 631), 56, fill=_PAPER, outline=_BAND, width=16)
    number, caption = _number(facts)
    _centred(draw, 62, number, 86, _BAND)
    _centred(draw, 156, caption, 26, _SOFT)
    for row, line in enumerate(_broken(facts.achievement, 13)):
        _centred(draw, 214 + 58 * row, line, 42, _INK)
    _centred(draw, 496, _short(facts.issuer), 27, _INK)
    _centred(draw, 544, facts.awarded, 24, _SOFT)
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()


def _number(facts: CertificateFacts) -> tuple[str, str]:
    """What stands large, and what it is: a qualification has a level and no credits of its own."""
    return (facts.credits, "学分 credits") if facts.credits else (facts.level, "等级 level")


def _centred(draw: "ImageDraw", y: int, text: str, size: int, colour: str) -> None:
    from PIL import ImageFont

    shown = writable(text)
    while True:
        main = ImageFont.truetype(typeface(MAIN), size)
        other = ImageFont.truetype(typeface(FALLBACK), size)
        runs = [(char, main if char in characters(MAIN) else other) for char in shown]
        width = sum(font.getlength(char) for char, font in runs)
        if width <= _SIDE - 72 or size <= 12:
            break
        size -= 2
    x = (_SIDE - width) / 2
    for char, font in runs:
        draw.text((x, y + size), char, fill=colour, font=font, anchor="ls")
        x += font.getlength(char)


def _broken(text: str, width: int) -> list[str]:
    """A title in a few lines; a Chinese character counts as two Latin ones."""
    lines, line, used = [], "", 0.0
    for word in _words(writable(text)):
        size = sum(1.0 if ord(char) > 0x2E80 else 0.52 for char in word)
        if used + size > width and line:
            lines.append(line.strip())
            line, used = "", 0.0
        line, used = line + word, used + size
    lines = [*lines, line.strip()]
    if len(lines) > _MOST:
        lines = [*lines[: _MOST - 1], lines[_MOST - 1][:-1] + "…"]
    return [part for part in lines if part]


def _words(text: str) -> list[str]:
    words: list[str] = []
    for char in text:
        if words and char != " " and ord(char) < 0x2E80 and not words[-1].endswith(" "):
            last = words[-1][-1]
            if ord(last) < 0x2E80:
                words[-1] += char
                continue
        words.append(char)
    return words


def _short(text: str) -> str:
    shown = writable(text)
    return shown if len(shown) <= 40 else shown[:39] + "…"
