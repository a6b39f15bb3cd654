"""The command `creditbank`. Each verb imports what it needs when it runs.

So that `creditbank verify` starts fast, and works in an install without database or web.
"""

import sys


def main() -> None:
    """Run a verb. Exit code 1 where it was refused or failed, 2 where it was called wrongly."""
    try:
        _run()
    except KeyboardInterrupt:
        # While what the verb takes is still imported, which is most of the time of a short one.
        print("stopped before it began", file=sys.stderr)
        sys.exit(130)


def _run() -> None:
    from verifier.standard_output import never_refuse

    never_refuse()
    if sys.argv[1:2] == ["verify"]:
        # What everybody runs, and waits for: past the import of all other verbs.
        from verifier.cli import main as verify

        sys.exit(verify(sys.argv[2:]))
    from bank.cli.main import main as run

    run()
