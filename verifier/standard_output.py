"""What a command says on standard output, so that its exit code stays what it means."""

import io
import sys

from verifier.errors import Unwritable


def tell(text: str) -> None:
    """Print it. Whoever reads may stop reading; Unwritable where it cannot be written at all."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        # The reader has read enough. Nothing is left to be written as the program ends.
        sys.stdout = None
    except OSError as error:
        sys.stdout = None
        raise Unwritable(f"standard output cannot be written: {error.strerror}") from error


def never_refuse() -> None:
    """Let the standard streams write a character that their encoding lacks as its number.

    A terminal of GBK has no check mark, and a file's name need not be text at all.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="backslashreplace")
