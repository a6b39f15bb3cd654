"""The command `creditbank verify`: files in, a report and an exit code out, no network."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from verifier.errors import BadReport, BadTrust, Unreadable, VerifierError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from keys import Json
    from verifier.report import Report
    from verifier.trust import Trust

CANNOT_READ = 2
_NO_TRUST = "give the credit bank's trust bundle with --trust: it says who is a member"


def verify_command(
    file: Annotated[
        str,
        typer.Argument(
            help="A bundle, a credential, a picture of a QR code, - for stdin; or a folder of them."
        ),
    ],
    trust: Annotated[
        Path | None, typer.Option(help="The credit bank's trust bundle, trust.json.")
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(help="Of a folder: where the report on all files goes, .csv or .html."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    lang: Annotated[str, typer.Option(help="Language of the report: en or zh.")] = "en",
    at: Annotated[
        str, typer.Option(help="Check as of this moment, such as 2026-11-23T12:00:00Z.")
    ] = "",
    foreign: Annotated[
        bool, typer.Option("--foreign", help="A credential of an issuer no credit bank knows.")
    ] = False,
    did: Annotated[
        list[Path] | None,
        typer.Option("--did", help="With --foreign: a DID document to find the issuer's key in."),
    ] = None,
    status_list: Annotated[
        list[Path] | None,
        typer.Option(help="With --foreign: a status list that the credential names."),
    ] = None,
    domain: Annotated[
        str, typer.Option(help="Of a presentation: the domain it was to be made for, yours.")
    ] = "",
    challenge: Annotated[str, typer.Option(help="Of a presentation: the challenge you gave.")] = "",
    root: Annotated[
        str, typer.Option(help="Fingerprint of the governance that must have signed the trust.")
    ] = "",
) -> None:
    """Check a credential offline against a trust bundle.

    Exit code 0: verified. 1: not verified. 2: a file could not be read. 3: verified with a
    caution. 4: cannot tell, since who issued it or whether it was revoked is not known.

    Of a folder, with --report: 0 if every file is verified, 1 if any is not, else 2 if any could
    not be read, else 3.
    """
    try:
        if lang not in ("en", "zh"):
            raise Unreadable(f"--lang is en or zh, not {lang!r}")
        moment = _moment(at)
        single = {
            **{"--json": as_json, "--foreign": foreign, "--did": did},
            **{"--status-list": status_list, "--domain": domain, "--challenge": challenge},
        }
        if _is_folder(file, report, single):
            raise typer.Exit(_folder(Path(file), report, trust, root, moment, lang))
        trusted = _open_trust(trust, root)
        if foreign:
            found = _foreign(file, trusted, moment, did or [], status_list or [])
        else:
            _check_alone(file, {"--did": did, "--status-list": status_list})
            found = _ours(file, trusted, moment, domain or None, challenge or None)
    except VerifierError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(CANNOT_READ) from error
    _print(found, lang, as_json)
    raise typer.Exit(found.exit_code)


def _is_folder(file: str, report: Path | None, single: "Mapping[str, object]") -> bool:
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
    folder: Path, report: Path | None, trust: Path | None, root: str, at: datetime, lang: str
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


def _check_alone(file: str, options: "dict[str, list[Path] | None]") -> None:
    for name, given in options.items():
        if given:
            raise Unreadable(f"{name} goes with --foreign, which {file} is checked without")


def _print(report: "Report", lang: str, as_json: bool) -> None:
    if as_json:
        print(json.dumps(report.to_json(lang), ensure_ascii=False, indent=2))
        return
    from rich.console import Console

    from verifier.table import print_report

    print_report(report, lang, Console(highlight=False))


def _open_trust(path: Path | None, root: str) -> "Trust | None":
    from verifier.memory import default_folder, open_remembered

    if path is None:
        return None
    return open_remembered(_read_trust(path), default_folder(), root.lower() or None)


def _read_trust(path: Path) -> bytes:
    from verifier.files import read_limited

    try:
        return read_limited(path)
    except Unreadable as error:
        raise BadTrust(f"the trust bundle {error}") from error


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


def _moment(text: str) -> datetime:
    if not text:
        return datetime.now(UTC)
    from credentials import CredentialsError, parse_moment

    try:
        return parse_moment(text, "--at")
    except CredentialsError as error:
        raise Unreadable(str(error)) from error
