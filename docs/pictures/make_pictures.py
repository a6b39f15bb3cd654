"""Draws the README's pictures from a real run: our report, the QR code, certificate and page.

Run after scripts/run --no-serve, with PYTHONPATH=.:
.venv/bin/python docs/pictures/make_pictures.py out docs/pictures
"""

import io
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path

import pypdfium2 as pdfium
from PIL import Image
from rich.console import Console
from rich.terminal_theme import SVG_EXPORT_THEME

from tests.browser_kit import PHONE, chromium, visiting
from verifier import open_trust, read_evidence, verify
from verifier.table import print_report

# As rich's own form, without its web fonts: nothing in the picture is fetched from anywhere.
_FORM = """\
<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{
  font-family: ui-monospace, Menlo, Consolas, monospace;
  font-size: {char_height}px; line-height: {line_height}px;
}}
{styles}
</style>
<defs><clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/>
</clipPath>{lines}</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})"
 clip-path="url(#{unique_id}-clip-terminal)">{backgrounds}
<g class="{unique_id}-matrix">{matrix}</g></g>
</svg>
"""


def main(out: Path, pictures: Path) -> None:
    """Write the pictures into `pictures`, from what is in `out`."""
    bundle = out / "learner.bundle.json"
    trust = open_trust((out / "trust.json").read_bytes())
    report = verify(read_evidence(bundle.read_bytes(), bundle.name), trust, datetime.now(UTC))
    console = Console(record=True, width=110, highlight=False, file=io.StringIO())
    print_report(report, "en", console)
    title = "creditbank verify learner.bundle.json --trust trust.json"
    svg = console.export_svg(title=title, theme=SVG_EXPORT_THEME, code_format=_FORM)
    (pictures / "verified.svg").write_text(svg, encoding="utf-8")
    shutil.copy(out / "learner.qr.png", pictures / "qr.png")
    page = pdfium.PdfDocument(out / "learner.certificate.pdf")[0]
    picture = page.render(scale=1).to_pil().quantize(16)
    picture.save(pictures / "certificate.png", optimize=True)
    _draw_page(out, pictures)


def _draw_page(out: Path, pictures: Path) -> None:
    """The verifier page in Chromium: a phone in Chinese, a desktop with a changed file."""
    bundle = (out / "learner.bundle.json").read_bytes()
    changed = bundle.replace(b'"creditsEarned":2', b'"creditsEarned":6')
    page = (out / "verifier.html").resolve().as_uri()
    with chromium() as browser:
        for name, size, locale, data in (
            ("page-zh", PHONE, "zh-CN", bundle),
            ("page-en", (720, 900), "en-GB", changed),
        ):
            with visiting(browser, size, locale) as visit:
                visit.open(page)
                file = {"name": "b.json", "mimeType": "application/json", "buffer": data}
                visit.give(file)
                picture = Image.open(io.BytesIO(visit.page.screenshot()))
                picture.quantize(64).save(pictures / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
