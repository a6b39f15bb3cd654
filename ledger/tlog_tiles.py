"""The layout of a log as static files (C2SP tlog-tiles): names, widths, entry bundles."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ledger.errors import BadEntry
from ledger.tiles import WIDTH

CHECKPOINT = "checkpoint"
TEXT = "text/plain; charset=utf-8"
BYTES = "application/octet-stream"
_ENTRIES = "entries"
_LONGEST = 100
_TILES = 1 << 54
"""Tiles of a log whose entries a 64-bit number can count."""


@dataclass(frozen=True, slots=True)
class Resource:
    """A tile of `level`, or with level None an entry bundle; partial where `width` is under 256."""

    level: int | None
    index: int
    width: int

    @property
    def path(self) -> str:
        """Where it is served, below the log's prefix."""
        digits = str(self.index)
        digits = digits.zfill(-(-len(digits) // 3) * 3)
        parts = [digits[i : i + 3] for i in range(0, len(digits), 3)]
        name = "/".join([*(f"x{part}" for part in parts[:-1]), parts[-1]])
        level = _ENTRIES if self.level is None else str(self.level)
        return f"tile/{level}/{name}" + ("" if self.width == WIDTH else f".p/{self.width}")

    @classmethod
    def parse(cls, path: str) -> "Resource | None":
        """The resource a path names, or None if it is not the one spelling of one."""
        if len(path) > _LONGEST:
            return None
        parts = path.split("/")
        width = WIDTH
        if len(parts) > 3 and parts[-2].endswith(".p") and parts[-1].isdecimal():
            width = int(parts[-1])
            parts = [*parts[:-2], parts[-2].removesuffix(".p")]
        if len(parts) < 3 or parts[0] != "tile" or len(parts) > 8:
            return None
        digits = "".join(part.removeprefix("x") for part in parts[2:])
        if not digits.isdecimal() or not digits.isascii() or not 0 < width <= WIDTH:
            return None
        if parts[1] == _ENTRIES:
            level = None
        elif parts[1].isdecimal() and int(parts[1]) < 64:
            level = int(parts[1])
        else:
            return None
        resource = cls(level, int(digits), width)
        return resource if resource.path == path and resource.index < _TILES else None


def resources(old: int, new: int) -> Iterator[Resource]:
    """What a log that grew from `old` to `new` entries must publish, entry bundles first.

    Full tiles that became full, and the partial ones of the new size.
    """
    for level in (None, *range(64)):
        shift = 8 * (level or 0)
        before, now = old >> shift, new >> shift
        if not now:
            return
        for index in range(before // WIDTH, now // WIDTH):
            yield Resource(level, index, WIDTH)
        if now % WIDTH and now != before:
            yield Resource(level, now // WIDTH, now % WIDTH)


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    """An entry bundle: each entry after its length in two bytes, high byte first."""
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def decode_bundle(data: bytes) -> list[bytes]:
    """The entries of a bundle; BadEntry if it is cut short."""
    entries, position = [], 0
    while position < len(data):
        start = position + 2
        position = start + int.from_bytes(data[position:start], "big")
        if start > len(data) or position > len(data):
            raise BadEntry("the entry bundle is cut short")
        entries.append(data[start:position])
    return entries
