"""The command `creditbank`. Each verb imports what it needs when it runs.

So that `creditbank verify` starts fast, and works in an install without database or web.
"""

from bank.cli.main import main

__all__ = ["main"]
