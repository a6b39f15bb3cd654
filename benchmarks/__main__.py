"""Run benchmarks: `python -m benchmarks [--json] [--only NAME]... [--list]`."""

from __future__ import annotations

import argparse
import json
import sys

from rich.console import Console
from rich.table import Table

from benchmarks import bank_figures as bank
from benchmarks import credential_figures as credential
from benchmarks import folder_figures as folders
from benchmarks import ledger_figures as ledger
from benchmarks import page_figures as page
from benchmarks.measure import ROUNDS, Figure

BENCHMARKS = {
    "award_path": credential.award_path,
    "issue_rdfc": credential.issue_rdfc,
    "verify_rdfc": credential.verify_rdfc,
    "issue_jcs": credential.issue_jcs,
    "verify_jcs": credential.verify_jcs,
    "cold_verify": credential.cold_verify,
    "cold_verify_jcs": credential.cold_verify_jcs,
    "verify_folder_1000": folders.verify_folder_1000,
    "page_qr_to_verdict": page.page_qr_to_verdict,
    "page_ready_offline": page.page_ready_offline,
    "recognise_10k_rules": bank.recognise_10k_rules,
    "passbook_500": bank.passbook_500,
    "lot_map_100k": bank.lot_map_100k,
    "rebuild_300k": bank.rebuild_300k,
    "append_sqlite_100": ledger.append_sqlite_100,
    "append_sqlite_1000": ledger.append_sqlite_1000,
    "append_postgres_1000": ledger.append_postgres_1000,
    "api_append_64": ledger.api_append_64,
    "append_single_100k": ledger.append_single_100k,
    "prove_100k": ledger.prove_100k,
    "verify_inclusion_100k": ledger.verify_inclusion_100k,
    "audit_signed": ledger.audit_signed,
    "audit_unsigned": ledger.audit_unsigned,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--only", action="append", metavar="NAME", help="run only this one")
    parser.add_argument("--list", action="store_true", help="list the names")
    arguments = parser.parse_args()
    if arguments.list:
        print("\n".join(BENCHMARKS))
        return 0
    names = arguments.only or list(BENCHMARKS)
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        print(f"there is no benchmark {unknown[0]}; --list names them", file=sys.stderr)
        return 2
    figures: dict[str, Figure] = {}
    for name in names:
        print(f"{name} …", file=sys.stderr, flush=True)
        figures[name] = BENCHMARKS[name]()
    if arguments.json:
        print(json.dumps({name: figure.to_json() for name, figure in figures.items()}, indent=2))
    else:
        _print_table(figures)
    return 0


def _print_table(figures: dict[str, Figure]) -> None:
    table = Table(title=f"medians of {ROUNDS} rounds; a ratio above 1 is in our favour")
    for column in ("name", "ours", "peer", "ratio", "unit", "peer is", "note"):
        right = column in ("ours", "peer", "ratio")
        table.add_column(column, justify="right" if right else "left")
    for name, figure in figures.items():
        table.add_row(
            name,
            _number(figure.ours),
            _number(figure.peer),
            "-" if figure.ratio is None else f"{figure.ratio:.2f}",
            figure.unit,
            figure.peer_name,
            figure.note,
        )
    Console(width=150).print(table)


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.3g}" if value < 100 else f"{value:,.0f}"


if __name__ == "__main__":
    sys.exit(main())
