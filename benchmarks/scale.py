"""A large ledger: does appending slow down, do proofs, does memory stay flat, does an audit stream?

    .venv/bin/python -m benchmarks.scale --entries 1000000 --folder build/scale

Every award is signed, so that the audit at the end is a real one. A folder that holds a ledger
already is grown to the size asked for.
"""

from __future__ import annotations

import argparse
import random
import resource
import statistics
import time
from pathlib import Path

from benchmarks.ledger_figures import log_at
from benchmarks.samples import INSTITUTION, opening
from keys import Json, b64u_encode
from ledger import (
    Checkpoint,
    SignedStatement,
    Statement,
    open_note,
)
from ledger.audit import audit
from ledger.publishing import FolderTarget, publish
from ledger.sequencer import Placed
from ledger.static import StaticLog, folder_fetch

BATCH = 5000


def award(number: int) -> SignedStatement:
    name = number.to_bytes(16, "big")
    body: dict[str, Json] = {
        "commitment": b64u_encode(name + name),
        "credits": "3.5",
        "level": "5",
        "lot": b64u_encode(name),
        "scheme": "standard-credit",
        "status": {"index": number % 131_072, "list": 1 + number // 131_072},
        "unit": "ACC101@1",
    }
    return Statement.make(INSTITUTION.did, "award", body).sign(INSTITUTION.signer)


def megabytes() -> int:
    """The most memory this process has held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, default=Path("build/scale"))
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    with log_at(f"sqlite:///{arguments.folder.resolve() / 'log.db'}") as (sequencer, signer, log):
        sequencer.append(opening())
        step = max(BATCH, arguments.entries // 10)
        spent, worked, since = 0.0, 0.0, log.size()
        while log.size() < arguments.entries:
            start = log.size()
            batch = [award(n) for n in range(start, min(arguments.entries, start + BATCH))]
            began, busy = time.perf_counter(), time.process_time()
            assert all(isinstance(outcome, Placed) for outcome in sequencer.append(batch))
            signer.sign()
            spent += time.perf_counter() - began
            worked += time.process_time() - busy
            if log.size() - since >= step or log.size() >= arguments.entries:
                grown = log.size() - since
                each = worked / grown * 1e6
                said = f"{grown / spent:>7,.0f}/s, {each:.0f} us of processor each"
                print(f"{log.size():>10,} entries: {said}, {megabytes()} MB", flush=True)
                spent, worked, since = 0.0, 0.0, log.size()
        note = signer.sign()
        size = Checkpoint.parse(open_note(note, ()).text).size
        began = time.perf_counter()
        public = FolderTarget(arguments.folder / "public")
        files = publish(public, note, log.tile, lambda s, e: list(log.entries(s, e)), log.root)
        print(f"published {files:,} files in {time.perf_counter() - began:.0f} s, {megabytes()} MB")
        static = StaticLog(folder_fetch(arguments.folder / "public"))
        for name, prove in (("store", log.receipt), ("tiles", static.receipt)):
            print(f"receipt from the {name}: {milliseconds(prove, size)}")
        began = time.perf_counter()
        report = audit(log.entries(0, size), [note])
        took = time.perf_counter() - began
        print(f"audit: {report.passed}, {size / took:,.0f} entries/s, {megabytes()} MB")


def milliseconds(prove: object, size: int) -> str:
    dice = random.Random(1)
    times = []
    for _ in range(300):
        began = time.perf_counter()
        prove(dice.randrange(size))  # type: ignore[operator]
        times.append((time.perf_counter() - began) * 1000)
    times.sort()
    return f"median {statistics.median(times):.2f} ms, 99 of 100 within {times[296]:.2f} ms"


if __name__ == "__main__":
    main()
