"""The command `creditbank` for tests, which call it many hundreds of times.

Most of the time of most verbs goes into importing what they need. So one process imports it once,
and every call is a fork of it: a process of its own, with its own arguments, environment, folder,
standard streams and exit code, which ends as any process does. What must be the real thing from
its first instruction on (limits of memory, kills, what may be imported) is started by its test as
`python -m bank.cli`.
"""

from __future__ import annotations

import functools
import gc
import importlib
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from multiprocessing.connection import Client, Connection
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent
PATIENCE = 300
"""Seconds after which a call is killed."""
IMPORTED = (
    "bank.api.app",
    "bank.cli.main",
    "bank.client",
    "bank.importing",
    "bank.opening",
    "bank.results",
    "ledger.audit",
    "rich.progress",
    "typer._adapters",
)
"""What verbs import as they run. None of it may read the environment when it is imported."""


@dataclass(frozen=True)
class Call:
    """What is run. `streams` is a folder with a file `in`; `out` and `err` are written there."""

    arguments: tuple[str, ...]
    environment: dict[str, str]
    folder: str
    streams: Path


def creditbank(
    *arguments: str, input: bytes = b"", folder: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run the command, in this process's folder or another, and return what it wrote."""
    with tempfile.TemporaryDirectory(prefix="creditbank-call-") as made:
        streams = Path(made)
        (streams / "in").write_bytes(input)
        told = {**os.environ, "COLUMNS": "200", **environment}
        with Client(str(_starter() / "calls")) as starter:
            starter.send(Call(arguments, told, str(folder or Path.cwd()), streams))
            code: int = starter.recv()
        output, errors = ((streams / name).read_bytes().decode() for name in ("out", "err"))
    return subprocess.CompletedProcess(["creditbank", *arguments], code, output, errors)


@functools.cache
def _starter() -> Path:
    """The folder of this process's own starter, which ends when this process does."""
    folder = Path(tempfile.mkdtemp(prefix="creditbank-starter-"))
    process = subprocess.Popen(
        [sys.executable, __file__, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=REPO,
        env={**os.environ, "PYTHONPATH": str(REPO)},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    _KEPT.append(process)
    return folder


_KEPT: list[subprocess.Popen[bytes]] = []
"""So that no starter's standard input is closed before this process ends."""


def _next_call(folder: Path) -> Call:
    """Wait for calls; return in a fork for each of them, ready to be the command."""
    for module in IMPORTED:
        importlib.import_module(module)
    gc.collect()
    gc.freeze()  # what is imported is never looked through again, here or in a fork
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how the ones beside calls ended
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / "calls"))
        listener.listen(16)
        print("ready", flush=True)
        while True:
            ready, _, _ = select.select([listener, sys.stdin], [], [])
            if sys.stdin in ready:  # its other end was closed: whoever called is gone
                break
            accepted, _ = listener.accept()
            if os.fork() == 0:
                return _stand_by(Connection(accepted.detach()))
            accepted.close()
    shutil.rmtree(folder)
    sys.exit()


def _stand_by(connection: Connection) -> Call:
    """Beside each call: tell how it ended, also where it was killed. Returns in the call's fork."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    call: Call = connection.recv()
    child = os.fork()
    if child == 0:
        connection.close()
        return call
    _, status = os.waitpid(child, 0)
    connection.send(os.waitstatus_to_exitcode(status))
    os._exit(0)


def _become(call: Call) -> None:
    os.environ.clear()
    os.environ.update(call.environment)
    os.chdir(call.folder)
    for number, name in enumerate(("in", "out", "err")):
        flags = os.O_RDONLY if name == "in" else os.O_WRONLY | os.O_CREAT
        opened = os.open(call.streams / name, flags, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    sys.argv = [str(REPO / "bank" / "cli" / "__main__.py"), *call.arguments]
    signal.alarm(PATIENCE)


if __name__ == "__main__":
    from bank.cli import main  # before the module of that name is imported, and takes its place
    from tests.keystore_kit import make_cheap

    make_cheap()
    _become(_next_call(Path(sys.argv[1])))
    main()
