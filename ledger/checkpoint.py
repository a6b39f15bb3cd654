"""Checkpoints (C2SP tlog-checkpoint): a log's size and root under its origin, as a note's text."""

import base64
import binascii
import re
from dataclasses import dataclass

from ledger.errors import BadNote

_SIZE = re.compile(r"(0|[1-9]\d{0,15})\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log commits to: `size` entries under `root` (32 bytes), and extension lines."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The note text that is signed, ending in a newline."""
        lines = [self.origin, str(self.size), base64.b64encode(self.root).decode()]
        return "\n".join([*lines, *self.extensions]) + "\n"

    @classmethod
    def parse(cls, text: str) -> "Checkpoint":
        """The checkpoint of a note's text; BadNote says what is wrong with it."""
        lines = text.split("\n")
        if len(lines) < 4 or lines[-1] or not lines[0]:
            raise BadNote("not a checkpoint: it needs origin, size and root hash, a line each")
        if not _SIZE.match(lines[1]):
            raise BadNote(f"the checkpoint's size {lines[1][:24]!r} is not a number of entries")
        try:
            root = base64.b64decode(lines[2], validate=True)
        except (binascii.Error, ValueError) as error:
            raise BadNote("the checkpoint's root hash is not base64") from error
        checkpoint = cls(lines[0], int(lines[1]), root, tuple(lines[3:-1]))
        if len(root) != 32 or checkpoint.text != text or "" in checkpoint.extensions:
            raise BadNote("the checkpoint is not in its one canonical form")
        return checkpoint
