"""Files as a verifier reads them: never more of one than could be of use."""

import sys
from pathlib import Path

from verifier.errors import Unreadable

LIMIT = 64 * 1024 * 1024
"""No picture of a QR code and no trust bundle is longer."""


def read_limited(file: str | Path, name: str = "") -> bytes:
    """The bytes of a file, or of standard input for `-`; Unreadable otherwise.

    `name` is how errors call the file, by default the path given.
    """
    called = name or str(file)
    try:
        if str(file) == "-":
            if sys.stdin is None:
                raise Unreadable("standard input is closed: name a file, or give it one to read")
            data = sys.stdin.buffer.read(LIMIT + 1)
        else:
            with Path(file).open("rb") as source:
                data = source.read(LIMIT + 1)
    except OSError as error:
        raise Unreadable(f"{called} cannot be read: {error.strerror}") from error
    if len(data) > LIMIT:
        raise Unreadable(
            f"{called} has more than {LIMIT} bytes; nothing that is verified is so long"
        )
    return data
