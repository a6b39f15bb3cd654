"""The verifier page: its files, for whoever serves them, and as one self-contained HTML file.

The page itself stands in `verifier/web`: plain ES modules, which need no build step. What it shares
with Python (sentences, dictionaries, contexts) is added from where Python has it.
"""

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

from credentials.achievement import OB_CONTEXT, VC_CONTEXT
from credentials.qr.dictionary import dictionary_path
from credentials.rdf import context_bytes
from verifier.modules import joined

_TYPES = {
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "png": "image/png",
    "json": "application/json",
    "svg": "image/svg+xml",
    "txt": "text/plain; charset=utf-8",
    "wasm": "application/wasm",
    "webmanifest": "application/manifest+json",
}
_DATA = ("sentences.json", "dictionary-1.json", "contexts.json")
_HERE = Path(__file__).parent
_POLICY = re.compile(r'content="(default-src [^"]+)"')


@dataclass(frozen=True, slots=True)
class File:
    """One file of the page."""

    data: bytes
    media_type: str


@cache
def page_files() -> Mapping[str, File]:
    """The page's files by their names under the page's folder; the page itself is `index.html`."""
    web = _HERE / "web"
    paths = [path for path in sorted(web.rglob("*")) if path.is_file()]
    found = {path.relative_to(web).as_posix(): path.read_bytes() for path in paths}
    found["data/sentences.json"] = (_HERE / "sentences.json").read_bytes()
    found["data/dictionary-1.json"] = dictionary_path(1).read_bytes()
    contexts = {url: json.loads(context_bytes(url)) for url in (VC_CONTEXT, OB_CONTEXT)}
    found["data/contexts.json"] = json.dumps(contexts, separators=(",", ":")).encode()
    found["sw.js"] = _service_worker(found)
    return {name: File(data, _media_type(name)) for name, data in sorted(found.items())}


def content_security_policy() -> str:
    """The page's policy, as a header says it, which can also forbid framing."""
    match = _POLICY.search(page_files()["index.html"].data.decode())
    assert match is not None
    return f"{match[1]}; frame-ancestors 'none'"


def one_file(trust: bytes | None = None) -> bytes:
    """The whole page as one HTML file that works without a server; with a trust bundle in it."""
    parts = {name: file.data for name, file in page_files().items()}
    script = joined({name: data.decode() for name, data in parts.items() if name.endswith(".js")})
    style = parts["style.css"].decode()
    assets = {name: parts[f"data/{name}"].decode() for name in _DATA}
    assets["zxing_reader.wasm"] = base64.b64encode(parts["vendor/zxing_reader.wasm"]).decode()
    if trust is not None:
        assets["trust.json"] = base64.b64encode(trust).decode()
    # Nothing is fetched, and nothing runs but this very script and style.
    policy = (
        f"default-src 'none'; script-src '{_hash(script)}' 'wasm-unsafe-eval'; "
        f"style-src '{_hash(style)}'; img-src blob:; media-src blob:; base-uri 'none'; "
        "form-action 'none'"
    )
    page = parts["index.html"].decode()
    page = _POLICY.sub(lambda _: f'content="{policy}"', page)
    page = re.sub(r'\n *<link rel="(?:icon|apple-touch-icon|manifest)"[^>]*>', "", page)
    page = page.replace('<link rel="stylesheet" href="style.css" />', f"<style>{style}</style>")
    page = page.replace('<script type="module" src="app.js"></script>', "")
    data = "".join(
        f'<script type="application/json" id="asset:{name}">{_inert(text)}</script>\n'
        for name, text in assets.items()
    )
    end = f'{data}<script type="module">{script}</script>\n  </body>'
    return page.replace("</body>", end).encode()


def _service_worker(found: Mapping[str, bytes]) -> bytes:
    """The service worker, told which files there are; any change in one makes it another."""
    left_out = ("sw.js", "vendor/hashes.json")
    names = [name for name in sorted(found) if name not in left_out and "LICENSE" not in name]
    digest = sha256()
    for name in ("sw.js", *names):
        digest.update(sha256(name.encode()).digest() + sha256(found[name]).digest())
    kept = ["./", *(name for name in names if name != "index.html")]
    head = (
        f"self.VERSION = {json.dumps(digest.hexdigest()[:16])};\nself.FILES = {json.dumps(kept)};\n"
    )
    return head.encode() + found["sw.js"]


def _media_type(name: str) -> str:
    return _TYPES.get(name.rpartition(".")[2], _TYPES["txt"])


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(sha256(text.encode()).digest()).decode()}"


def _inert(text: str) -> str:
    """JSON or base64 that cannot end its own element."""
    return text.replace("<", "\\u003c")
