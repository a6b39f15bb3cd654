"""The command `creditbank verify`: files in, a report and an exit code out, no network."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from verifier.errors import BadTrust, Unreadable, VerifierError

if TYPE_CHECKING:
    from keys import Json

CANNOT_READ = 2


def verify_command(
    file: Annotated[
        str, typer.Argument(help="A bundle, a credential, a picture of a QR code, or - for stdin.")
    ],
    trust: Annotated[Path, typer.Option(help="The credit bank's trust bundle, trust.json.")],
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
    domain: Annotated[
        str, typer.Option(help="Of a presentation: the domain it was to be made for, yours.")
    ] = "",
    challenge: Annotated[str, typer.Option(help="Of a presentation: the challenge you gave.")] = "",
    root: Annotated[
        str, typer.Option(help="Fingerprint of the governance that must have signed the trust.")
    ] = "",
) -> None:
    """Check a credential offline against a trust bundle.

    Exit code 0: verified. 1: not verified. 2: a file could not be read. 3: verified in part,
    something is unknown or out of date.
    """
    try:
        code = _verify(file, trust, as_json, lang, at, root, foreign, did or [], domain, challenge)
    except VerifierError as error:
        print(error, file=sys.stderr)
        code = CANNOT_READ
    raise typer.Exit(code)


def _verify(
    file: str,
    trust: Path,
    as_json: bool,
    lang: str,
    at: str,
    root: str,
    foreign: bool,
    did: list[Path],
    domain: str,
    challenge: str,
) -> int:
    from verifier.collection import PRESENTATION, read_collection
    from verifier.evidence import read_evidence
    from verifier.files import read_limited
    from verifier.memory import default_folder, open_remembered
    from verifier.verification import verify

    if lang not in ("en", "zh"):
        raise Unreadable(f"--lang is en or zh, not {lang!r}")
    moment = _moment(at)
    trusted = open_remembered(_read_trust(trust), default_folder(), root.lower() or None)
    data = read_limited(file)
    collection = read_collection(data)
    if foreign:
        from verifier.foreign import verify_foreign

        credential = read_evidence(data, file).credential
        report = verify_foreign(credential, trusted, moment, [_read_did(path) for path in did])
    elif collection is None:
        report = verify(read_evidence(data, file), trusted, moment)
    elif collection.kind == PRESENTATION:
        from verifier.presentation import verify_presentation

        report = verify_presentation(
            collection.document,
            collection.receipts,
            trusted,
            moment,
            domain or None,
            challenge or None,
        )
    else:
        from verifier.transcript import verify_transcript

        report = verify_transcript(collection.document, collection.receipts, trusted, moment)
    if as_json:
        print(json.dumps(report.to_json(lang), ensure_ascii=False, indent=2))
    else:
        from rich.console import Console

        from verifier.table import print_report

        print_report(report, lang, Console(highlight=False))
    return report.exit_code


def _read_trust(path: Path) -> bytes:
    from verifier.files import read_limited

    try:
        return read_limited(path)
    except Unreadable as error:
        raise BadTrust(f"the trust bundle {error}") from error


def _read_did(path: Path) -> "Json":
    from keys import KeysError, parse
    from verifier.files import read_limited

    try:
        return parse(read_limited(path), limit=64 * 1024)
    except KeysError as error:
        raise Unreadable(f"the DID document {path} cannot be read: {error}") from error


def _moment(text: str) -> datetime:
    if not text:
        return datetime.now(UTC)
    from credentials import CredentialsError, parse_moment

    try:
        return parse_moment(text, "--at")
    except CredentialsError as error:
        raise Unreadable(str(error)) from error
