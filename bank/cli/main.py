"""The verbs of `creditbank`, and how what goes wrong is told: one sentence, no traceback."""

import sys

import typer

from bank.cli.appeal_verbs import appeal_app
from bank.cli.bank_verbs import bank_app
from bank.cli.demo_verb import demo
from bank.cli.doctor_verb import doctor_command
from bank.cli.federation_verbs import federation_app
from bank.cli.import_verb import import_command
from bank.cli.keys_verbs import keys_app
from bank.cli.learner_record_verbs import learner_app
from bank.cli.learner_verbs import export_command, learners_command, transcript_command
from bank.cli.ledger_verbs import ledger_app
from bank.cli.member_verbs import member_app
from bank.cli.present_verb import fetch_did_command, present_command
from bank.cli.proposal_verbs import governance_app, statement_app
from bank.cli.qualification_verbs import passbook_command, progress_command
from bank.cli.regulator_verbs import regulator_app
from bank.cli.rules_verbs import rules_app
from bank.cli.share_verbs import offer_command, share_app
from bank.cli.trust_verbs import trust_app
from bank.cli.vc_api_verb import vc_api_app
from bank.cli.witness_verbs import witness_app
from bank.errors import BankError
from bank.results.errors import ResultsError
from credentials.errors import CredentialsError
from keys.errors import KeysError
from ledger.errors import LedgerError
from verifier.cli import main as verify
from verifier.errors import VerifierError
from verifier.service_cli import verifier_app

app = typer.Typer(
    name="creditbank",
    help="A credit bank: signed awards in a transparent ledger, credentials anyone can verify.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.command(
    "verify",
    add_help_option=False,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)
def verify_command(context: typer.Context) -> None:
    """Check a credential offline against a trust bundle."""
    raise typer.Exit(verify(context.args))


app.command("demo")(demo)
app.command("doctor")(doctor_command)
app.command("import")(import_command)
app.command("export")(export_command)
app.command("learners")(learners_command)
app.command("transcript")(transcript_command)
app.command("offer")(offer_command)
app.command("present")(present_command)
app.command("fetch-did")(fetch_did_command)
app.add_typer(bank_app)
app.add_typer(member_app)
app.add_typer(governance_app)
app.add_typer(statement_app)
app.add_typer(rules_app)
app.add_typer(appeal_app)
app.add_typer(regulator_app)
app.add_typer(federation_app)
app.add_typer(keys_app)
app.add_typer(trust_app)
app.add_typer(ledger_app)
learner_app.command("passbook")(passbook_command)
learner_app.command("progress")(progress_command)
app.add_typer(learner_app)
app.add_typer(share_app)
app.add_typer(witness_app)
app.add_typer(vc_api_app)
app.add_typer(verifier_app)

KNOWN = (BankError, ResultsError, CredentialsError, KeysError, LedgerError, VerifierError)
"""What goes wrong and is told in one sentence."""


def main() -> None:
    """Run a verb. Exit code 1 where it was refused or failed, 2 where it was called wrongly."""
    try:
        app()
    except KNOWN as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    except UnicodeEncodeError:
        print("an argument is not text in UTF-8: it names nothing here", file=sys.stderr)
        sys.exit(1)
    except OSError as error:
        what = f"{error.filename} cannot be used: " if error.filename else ""
        print(f"{what}{error.strerror or error}", file=sys.stderr)
        sys.exit(1)
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] not in _EXTRAS:
            raise
        print(
            f"this verb needs {error.name}, which is not installed: install creditbank[bank]",
            file=sys.stderr,
        )
        sys.exit(1)
    except KeyboardInterrupt:
        print(
            "stopped; what was acknowledged is kept, and running it again is safe", file=sys.stderr
        )
        sys.exit(130)


_EXTRAS = {"sqlalchemy", "fastapi", "starlette", "uvicorn", "httpx", "jinja2", "psycopg"}
