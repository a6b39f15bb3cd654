"""Run benchmarks: `python -m benchmarks [--json] [--only NAME]... [--list]`."""

from __future__ import annotations

import argparse
import json
import sys
from importlib import import_module

from rich.console import Console
from rich.table import Table

from benchmarks.measure import ROUNDS, Figure

BENCHMARKS = {
    "award_path": "credential_figures",
    "issue_rdfc": "credential_figures",
    "verify_rdfc": "credential_figures",
    "issue_jcs": "credential_figures",
    "verify_jcs": "credential_figures",
    "cold_verify": "credential_figures",
    "cold_verify_jcs": "credential_figures",
    "verify_folder_1000": "folder_figures",
    "page_qr_to_verdict": "page_figures",
    "page_ready_offline": "page_figures",
    "recognise_10k_rules": "bank_figures",
    "passbook_500": "bank_figures",
    "lot_map_100k": "bank_figures",
    "rebuild_300k": "bank_figures",
    "append_sqlite_100": "ledger_figures",
    "append_sqlite_1000": "ledger_figures",
    "append_postgres_1000": "ledger_figures",
    "api_append_64": "ledger_figures",
    "append_single_100k": "ledger_figures",
    "prove_100k": "ledger_figures",
    "verify_inclusion_100k": "ledger_figures",
    "audit_signed": "ledger_figures",
    "audit_unsigned": "ledger_figures",
}
"""Name -> the module of its function. Imported when run: what an audit starts imports this."""


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
        module = import_module(f"benchmarks.{BENCHMARKS[name]}")
        figures[name] = getattr(module, name)()
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
