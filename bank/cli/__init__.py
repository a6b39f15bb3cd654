"""The command `creditbank`. Each verb imports what it needs when it runs.

So that `creditbank verify` starts fast, and works in an install without database or web.
"""

import sys


def main() -> None:
    """Run a verb. Exit code 1 where it was refused or failed, 2 where it was called wrongly."""
    if sys.argv[1:2] == ["verify"]:
        # What everybody runs, and waits for: past the import of all other verbs.
        from verifier.cli import main as verify

        sys.exit(verify(sys.argv[2:]))
    from bank.cli.main import main as run

    run()
