"""`creditbank demo`: the whole story on sample data, from an empty folder to a verified credential.

The demo plays every part, so all keys lie in one folder; in life the governance keys are the
regulator's, and each institution's keys are on its own machines.
"""

import json
import secrets
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bank.cli.bank_verbs import DEFAULT_PORT, Port, serve
from bank.cli.demo_calendar import OPENED, Calendar, terms
from bank.cli.demo_people import demo_people
from bank.cli.options import DEFAULT_DATA, PASSPHRASE_FILE, Data

if TYPE_CHECKING:
    from bank.opening import Admission
    from bank.service import Bank
    from keys import Signer

DOMAIN = "chongqing.creditbank.example"
NAMES = {"en": "Chongqing Credit Bank (demo)", "zh": "重庆学分银行（演示）"}
THRESHOLD = 2
SISTERS = ("sichuan", "chengdu")
SAMPLES = Path(__file__).resolve().parents[2] / "docs" / "samples"


def demo(
    data: Data = DEFAULT_DATA,
    out: Annotated[Path, typer.Option(help="Folder for the artefacts.")] = Path("out"),
    no_serve: Annotated[bool, typer.Option("--no-serve", help="Stop after the story.")] = False,
    port: Port = DEFAULT_PORT,
) -> None:
    """Make a bank in --data, play the story, leave the artefacts in --out, then serve."""
    from bank.cli.progress import console
    from bank.opening import open_bank
    from bank.settings import write_settings
    from bank.witnesses import HttpWitness

    secret = _passphrase(data)
    governance = _governance(data, secret)
    calendar = Calendar(OPENED)
    bank = _bank(data, secret, governance, calendar)
    with ExitStack() as sisters:
        try:
            console.print(f"[bold]{NAMES['en']}[/]  {NAMES['zh']}")
            console.print(f"The log is {bank.settings.origin}")
            urls = _sisters(bank, data, secret, governance, sisters)
            write_settings(data, witness_urls=urls)
            bank.checkpoints.ask_witnesses(
                lambda record: HttpWitness(record, urls[record.operator])
            )
            _play(bank, calendar, data, out, secret, governance)
        finally:
            bank.close()
        if not no_serve:
            serve(lambda: open_bank(data, secret, witnessed=True), port, demo_people)


def _play(
    bank: "Bank",
    calendar: Calendar,
    data: Path,
    out: Path,
    secret: str,
    governance: "list[Signer]",
) -> None:
    from bank.cli.demo_recognition import recognise
    from bank.cli.import_verb import run_import
    from bank.cli.import_verb import tell as tell_import
    from bank.cli.learner_verbs import export
    from bank.cli.ledger_verbs import run_audit
    from bank.cli.ledger_verbs import tell as tell_audit
    from bank.cli.progress import console
    from bank.importing import together
    from bank.opening import LocalBank, open_member, read_admissions
    from bank.results import read_mapping, read_results
    from verifier.page import one_file
    from verifier.whole_file import write_whole

    admissions = read_admissions(SAMPLES / "institutions.toml")
    _admit(bank, data, secret, governance, admissions)
    mapping = read_mapping(SAMPLES / "results.mapping.toml")
    names = {item.slug: item.names["zh"] for item in admissions}
    preview = read_results(SAMPLES / "results.csv", mapping, names)
    institutions = {
        item.slug: open_member(data / "members" / item.slug, DOMAIN, item, secret)
        for item in admissions
    }
    imported = []
    for day, own in terms(preview.results):
        calendar.put(day)
        title = f"Signing and appending awards of {day:%Y-%m}"
        term = replace(preview, results=own)
        imported.append(run_import(term, institutions, LocalBank(bank), title, calendar))
    calendar.let_go()
    tell_import(together(imported))
    if not bank.checkpoints.gather():
        console.print("[yellow]too few sister banks have cosigned; receipts carry what there is[/]")
    account = bank.accounts.names()[0]
    identifier, index = bank.accounts.credentials(bank.vault.token(account))[0]
    for path in export(bank, identifier, out):
        console.print(f"wrote {path}")
    transcript = bank.transcripts.make(bank.vault.token(account))
    console.print(f"wrote {write_whole(out / 'learner.transcript.json', transcript)}")
    recognise(bank, institutions, SAMPLES, out)
    console.print(
        f"wrote {write_whole(out / 'trust.json', bank.trust.export(governance[:THRESHOLD]))}"
    )
    page = one_file((out / "trust.json").read_bytes())
    console.print(f"wrote {write_whole(out / 'verifier.html', page)}")
    _verify(out)
    tell_audit(run_audit(bank))
    console.print(f"The learner's credential is entry {index}; the artefacts are in {out}/")
    console.print(
        f"Check it again:  .venv/bin/creditbank verify {out}/learner.bundle.json "
        f"--trust {out}/trust.json\n"
        f"Or open {out}/verifier.html in a browser, and give it any of the learner's files"
    )


def _admit(
    bank: "Bank",
    data: Path,
    secret: str,
    governance: "list[Signer]",
    admissions: "list[Admission]",
) -> None:
    from bank.cli.progress import progress
    from bank.opening import admit, create_api_key, create_approver, create_member

    with progress("Admitting institutions", len(admissions)) as done:
        for count, admission in enumerate(admissions, start=1):
            folder = data / "members" / admission.slug
            key = create_member(folder, secret).public_key
            approver = create_approver(folder, secret).public_key
            admit(bank, admission, key, governance[:THRESHOLD], approver)
            opener = create_api_key(folder, secret).public_key.multikey
            if not bank.api_keys.is_known(opener):
                did = f"{bank.settings.did}:members:{admission.slug}"
                bank.api_keys.add(did, opener, "demonstration")
            done(count)


def _sisters(
    bank: "Bank", data: Path, secret: str, governance: "list[Signer]", running: ExitStack
) -> dict[str, str]:
    """Two sister banks that witness the log, served on loopback; their URLs by operator."""
    from bank.api.witness import make_witness_app
    from bank.cli.background import served
    from bank.opening import govern
    from bank.witnesses import create_witness, open_witness, watch
    from keys import Json

    urls = {}
    for operator in SISTERS:
        folder = data / "sisters" / operator
        name = f"{operator}.creditbank.example/witness"
        create_witness(folder, name, secret)
        watch(folder, bank.settings.origin, bank.log_keys)
        own = open_witness(folder, secret, lambda: datetime.now(UTC))
        running.callback(own.store.close)
        urls[operator] = running.enter_context(served(make_witness_app(own.witness)))
        keys: list[Json] = [str(key) for key in own.keys]
        body: dict[str, Json] = {
            "keys": keys,
            "operator": operator,
            "quorum": len(urls),
            "url": f"https://{name}",
        }
        govern(bank, [("witness.admit", body)], governance[:THRESHOLD])
    return urls


def _verify(out: Path) -> None:
    from rich.console import Console

    from verifier import open_trust, read_evidence, verify
    from verifier.table import print_report
    from verifier.whole_file import write_whole

    bundle = out / "learner.bundle.json"
    trust = open_trust((out / "trust.json").read_bytes())
    evidence = read_evidence(bundle.read_bytes(), str(bundle))
    report = verify(evidence, trust, datetime.now(UTC))
    text = json.dumps(report.to_json(), ensure_ascii=False, indent=2) + "\n"
    write_whole(out / "report.json", text.encode())
    print_report(report, "en", Console(highlight=False))


def _passphrase(data: Path) -> str:
    from bank.opening import make_folder

    make_folder(data)
    path = data / PASSPHRASE_FILE
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(24) + "\n", encoding="utf-8")
    return path.read_text(encoding="utf-8").strip()


def _governance(data: Path, secret: str) -> "list[Signer]":
    from bank.opening import make_folder
    from keys import PrivateKey, open_signer, write_keystore

    make_folder(data / "governance")
    signers = []
    for number in (1, 2, 3):
        path = data / "governance" / f"regulator-{number}.keystore"
        if not path.exists():
            write_keystore(path, PrivateKey.generate().seed, secret)
        signers.append(open_signer(f"file:{path}", secret))
    return signers


def _bank(data: Path, secret: str, governance: "list[Signer]", calendar: Calendar) -> "Bank":
    from bank.opening import create_bank, open_bank
    from bank.settings import FILE

    if not (data / FILE).exists():
        keys = [signer.public_key.multikey for signer in governance]
        create_bank(data, DOMAIN, NAMES, keys, THRESHOLD, secret)
    bank = open_bank(data, secret, clock=calendar)
    bank.found(governance[:THRESHOLD])
    return bank
