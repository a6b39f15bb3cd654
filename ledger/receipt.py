"""Receipts (C2SP tlog-proof): everything needed to check offline that an entry is in the log."""

import base64
import binascii
from dataclasses import dataclass

from ledger.errors import BadReceipt

HEADER = "c2sp.org/tlog-proof@v1"
_MAX_PATH = 63


@dataclass(frozen=True, slots=True)
class Receipt:
    """An entry's exact bytes, its place, its inclusion path and the signed checkpoint.

    The entry bytes travel in tlog-proof's `extra` line, so that the leaf hash can be rebuilt
    and what was said can be read.
    """

    entry: bytes
    index: int
    path: tuple[bytes, ...]
    checkpoint: str

    def encode(self) -> str:
        """The receipt as text (`.tlog-proof`)."""
        lines = [
            HEADER,
            f"extra {base64.b64encode(self.entry).decode()}",
            f"index {self.index}",
            *(base64.b64encode(node).decode() for node in self.path),
        ]
        return "\n".join(lines) + "\n\n" + self.checkpoint

    @classmethod
    def parse(cls, text: str) -> "Receipt":
        """The receipt of its text; BadReceipt unless it is exactly what `encode` writes."""
        head, separator, checkpoint = text.partition("\n\n")
        lines = head.split("\n")
        if not separator or lines[0] != HEADER:
            raise BadReceipt("not a receipt: it does not begin as a tlog-proof")
        if len(lines) < 3 or len(lines) > _MAX_PATH + 3:
            raise BadReceipt("the receipt is cut short, or its path is too long")
        extra, index = lines[1], lines[2]
        number = index.removeprefix("index ")
        if not extra.startswith("extra ") or not (number.isascii() and number.isdigit()):
            raise BadReceipt("the receipt lacks the entry it speaks of, or its index")
        if len(number) > 16:
            raise BadReceipt("the receipt's index is too large")
        receipt = cls(
            _unbase64(extra.removeprefix("extra ")),
            int(number),
            tuple(_unbase64(line) for line in lines[3:]),
            checkpoint,
        )
        if any(len(node) != 32 for node in receipt.path) or receipt.encode() != text:
            raise BadReceipt("the receipt is not in its one canonical form")
        return receipt


def _unbase64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadReceipt("a line of the receipt is not base64") from error
