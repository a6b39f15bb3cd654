"""The command `creditbank verify`: files in, a report and an exit code out, no network."""

import argparse
import io
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from verifier.errors import BadReport, BadTrust, Unreadable, VerifierError

if TYPE_CHECKING:
    from keys import Json
    from verifier.report import Report
    from verifier.trust import Trust

CANNOT_READ = 2
STOPPED = 130
_NO_TRUST = "give the credit bank's trust bundle with --trust: it says who is a member"


_HELP = """\
Check a credential offline against a trust bundle.

Exit code 0: verified. 1: not verified. 2: a file could not be read. 3: verified with a caution.
4: cannot tell, since who issued it or whether it was revoked is not known.

Of a folder, with --report: 0 if every file is verified, 1 if any is not, else 2 if any could not
be read, else 3.
"""


def main(arguments: Sequence[str]) -> int:
    """Run `creditbank verify` with these arguments; its exit code."""
    asked = _parser().parse_args(arguments)
    try:
        return _verify(asked)
    except VerifierError as error:
        from credentials.spelling import shown

        print(shown(str(error)), file=sys.stderr)
        return CANNOT_READ
    except KeyboardInterrupt:
        print("stopped before the end", file=sys.stderr)
        return STOPPED


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        print(f"creditbank verify: {message}; --help tells more", file=sys.stderr)
        raise SystemExit(CANNOT_READ)


def _parser() -> argparse.ArgumentParser:
    # argparse and not typer, which takes longer to start than a credential to verify.
    parser = _Parser(
        prog="creditbank verify",
        description=_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("file", help="a bundle, a credential, a picture of a QR code, a folder, or - for stdin")
    add("--trust", type=Path, help="the credit bank's trust bundle, trust.json")
    add("--json", action="store_true", help="print the report as JSON")
    add("--lang", choices=("en", "zh"), default="en", help="language of the report")
    add("--at", help="check as of this moment, such as 2026-11-23T12:00:00Z")
    add("--report", type=Path, help="of a folder: the file to report to, .csv or .html")
    add("--root", help="fingerprint of the governance that must have signed the trust")
    add("--foreign", action="store_true", help="a credential of an issuer no credit bank knows")
    for name, what in (
        ("--did", "with --foreign: a DID document to find the issuer's key in"),
        ("--status-list", "with --foreign: a status list the credential names"),
    ):
        add(name, type=Path, action="append", default=[], help=what)
    add("--domain", help="of a presentation: the domain it was to be made for, yours")
    add("--challenge", help="of a presentation: the challenge you gave")
    return parser


def _verify(asked: argparse.Namespace) -> int:
    moment = _moment(asked.at)
    single = ("json", "foreign", "did", "status_list", "domain", "challenge")
    given = {f"--{name.replace('_', '-')}": getattr(asked, name) for name in single}
    if _is_folder(asked.file, asked.report, given):
        return _folder(Path(asked.file), asked.report, asked.trust, asked.root, moment, asked.lang)
    trusted = _open_trust(asked.trust, asked.root)
    if asked.foreign:
        found = _foreign(asked.file, trusted, moment, asked.did, asked.status_list)
    else:
        _check_alone(asked.file, {"--did": asked.did, "--status-list": asked.status_list})
        found = _ours(asked.file, trusted, moment, asked.domain or None, asked.challenge or None)
    _print(found, asked.lang, asked.json)
    return found.exit_code


def _is_folder(file: str, report: Path | None, single: Mapping[str, object]) -> bool:
    """Whether all files of a folder are meant; BadReport where the options do not go with that."""
    if report is None and not Path(file).is_dir():
        return False
    if not Path(file).is_dir():
        raise BadReport(f"--report goes with a folder, and there is no folder {file}")
    if report is None:
        raise BadReport(
            f"{file} is a folder: say where its report goes with --report (.csv, .html)"
        )
    for name, given in single.items():
        if given:
            raise BadReport(f"{name} goes with one file, and {file} is a folder")
    return True


def _folder(
    folder: Path, report: Path | None, trust: Path | None, root: str | None, at: datetime, lang: str
) -> int:
    from verifier.bulk import Setting
    from verifier.bulk_command import verify_folder

    trusted = _open_trust(trust, root)
    if trusted is None or trust is None or report is None:
        raise BadTrust(_NO_TRUST)
    return verify_folder(Setting(folder, trusted, at, lang), report, trust)


def _ours(
    file: str, trust: "Trust | None", at: datetime, domain: str | None, challenge: str | None
) -> "Report":
    from verifier.file_report import verify_file
    from verifier.files import read_limited

    if trust is None:
        raise BadTrust(_NO_TRUST)
    return verify_file(read_limited(file), file, trust, at, domain, challenge)


def _foreign(
    file: str,
    trust: "Trust | None",
    at: datetime,
    documents: list[Path],
    status_lists: list[Path],
) -> "Report":
    from verifier.evidence import read_evidence
    from verifier.files import read_limited
    from verifier.foreign import verify_foreign

    credential = read_evidence(read_limited(file), file).credential
    dids = [_read_object(path, "the DID document", 64 * 1024) for path in documents]
    lists = [_read_object(path, "the status list", 1024 * 1024) for path in status_lists]
    return verify_foreign(credential, trust, at, dids, lists)


def _check_alone(file: str, options: dict[str, list[Path]]) -> None:
    for name, given in options.items():
        if given:
            raise Unreadable(f"{name} goes with --foreign, which {file} is checked without")


def _print(report: "Report", lang: str, as_json: bool) -> None:
    from verifier.standard_output import tell

    if as_json:
        tell(json.dumps(report.to_json(lang), ensure_ascii=False, indent=2))
        return
    from rich.console import Console

    from verifier.table import print_report

    table = io.StringIO()
    colours = Console().is_terminal
    print_report(report, lang, Console(file=table, highlight=False, force_terminal=colours))
    tell(table.getvalue().removesuffix("\n"))


def _open_trust(path: Path | None, root: str | None) -> "Trust | None":
    from verifier.memory import default_folder, open_remembered
    from verifier.trust import fingerprint
    from verifier.trust_file import naming, read_trust

    pinned = None if root is None else fingerprint(root)
    if path is None:
        return None
    with naming(path):
        return open_remembered(read_trust(path), default_folder(), pinned)


def _read_object(path: Path, what: str, limit: int) -> "dict[str, Json]":
    from keys import KeysError, parse
    from verifier.files import read_limited

    try:
        value = parse(read_limited(path), limit=limit)
    except KeysError as error:
        raise Unreadable(f"{what} {path} cannot be read: {error}") from error
    if not isinstance(value, dict):
        raise Unreadable(f"{what} {path} cannot be read: it is not a JSON object")
    return value


def _moment(text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC)
    from credentials import CredentialsError, parse_moment

    try:
        return parse_moment(text, "--at")
    except CredentialsError as error:
        raise Unreadable(str(error)) from error
