"""The wheel without extras: five packages with their data, and a base install that is enough."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

PACKAGES = {"keys", "ledger", "credentials", "verifier", "bank"}
SOURCES = ("pyproject.toml", "README.md", *sorted(PACKAGES))


@pytest.fixture(scope="module")
def wheel(repo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy so that no build/ or egg-info is left in the repository."""
    source = tmp_path_factory.mktemp("source")
    for name in SOURCES:
        if (repo / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(repo / name, source / name, ignore=ignored)
        else:
            shutil.copy(repo / name, source / name)
    # A folder that must not leak into the wheel, as tests and scripts would with other builders.
    (source / "benchmarks").mkdir()
    (source / "benchmarks" / "__init__.py").touch()
    target = tmp_path_factory.mktemp("wheel")
    pip(
        "wheel",
        "--no-deps",
        "--no-index",
        "--no-build-isolation",
        "--wheel-dir",
        str(target),
        str(source),
    )
    (built,) = target.glob("creditbank-*.whl")
    return built


@pytest.fixture(scope="module")
def base_install(repo: Path, wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and exactly the packages of requirements/verifier.txt in it.

    They are copied from the tests' own environment, which holds the same versions, so that this
    test needs no network.
    """
    folder = tmp_path_factory.mktemp("base")
    pip("install", "--no-deps", "--no-index", "--target", str(folder), str(wheel))
    lock = (repo / "requirements" / "verifier.txt").read_text(encoding="utf-8")
    for name, version, rest in re.findall(r"^([\w.-]+)==(\S+)(.*)", lock, re.MULTILINE):
        if "sys_platform == 'win32'" in rest:
            continue
        distribution = metadata.distribution(name)
        assert distribution.version == version, f"the environment has another {name}: scripts/test"
        for file in distribution.files or []:
            if ".." not in file.parts and "__pycache__" not in file.parts:
                target = folder / file
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(str(file.locate()), target)
    return folder


def pip(*arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pip", "-q", "--disable-pip-version-check", *arguments],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr


def in_base(folder: Path, code: str) -> subprocess.CompletedProcess[str]:
    """Run code that sees the base install and the standard library, and nothing else."""
    # -S leaves out the environment's site-packages, -I the working folder and PYTHONPATH.
    start = f"import sys; sys.path.insert(0, {str(folder)!r})\n"
    return subprocess.run(
        [sys.executable, "-I", "-S", "-c", start + code],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=folder,
    )


def test_wheel_holds_the_five_packages_only(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.split("/")[0] for name in archive.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == PACKAGES


def test_wheel_holds_every_data_file(repo: Path, wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        packed = set(archive.namelist())
    wanted = {
        path.relative_to(repo).as_posix()
        for package in PACKAGES
        for path in (repo / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert wanted <= packed, sorted(wanted - packed)


@pytest.mark.parametrize("absent", ["sqlalchemy", "fastapi", "httpx", "psycopg"])
def test_base_install_has_no_database_or_web(base_install: Path, absent: str) -> None:
    done = in_base(base_install, f"import {absent}")
    assert done.returncode == 1
    assert "ModuleNotFoundError" in done.stderr


@pytest.mark.parametrize("package", sorted(PACKAGES))
def test_base_install_imports_with_no_sockets(base_install: Path, package: str) -> None:
    block = "def refuse(event, arguments):\n    assert not event.startswith('socket.'), event\n"
    done = in_base(
        base_install,
        f"{block}sys.addaudithook(refuse)\nimport {package}\nprint({package}.__file__)",
    )
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()).is_relative_to(base_install)


def test_every_module_below_the_bank_imports_in_a_base_install(base_install: Path) -> None:
    # The ledger's store and sequencer are the bank's: they need the database of [bank].
    done = in_base(
        base_install,
        "import importlib, pkgutil, keys, credentials, verifier\n"
        "for package in (keys, credentials, verifier):\n"
        "    for module in pkgutil.walk_packages(package.__path__, package.__name__ + '.'):\n"
        # A token's signer is loaded only where a key lies in one: the extra [pkcs11].
        "        if not module.name.endswith(('__main__', 'keys.pkcs11')):\n"
        "            importlib.import_module(module.name)\n",
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what a learner shows and what a verifier has, from a real run of the story."""
    folder = tmp_path_factory.mktemp("shown")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "bank.cli", "demo", "--no-serve"),
            *("--data", str(folder / "var"), "--out", str(folder / "out")),
        ],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return folder / "out"


VERIFY = """
import sys
def refuse(event, arguments):
    assert not event.startswith('socket.'), event
sys.addaudithook(refuse)
sys.argv = ['creditbank', 'verify', {file!r}, '--trust', {trust!r}]
from bank.cli import main
main()
"""


@pytest.mark.parametrize(
    ("name", "code"),
    [("learner.bundle.json", 0), ("learner.credential.json", 3), ("learner.qr.png", 0)],
)
def test_base_install_verifies_with_sockets_blocked(
    base_install: Path, shown: Path, name: str, code: int
) -> None:
    file, trust = str(shown / name), str(shown / "trust.json")
    state = f"import os; os.environ['CREDITBANK_STATE'] = {str(shown / 'state')!r}\n"
    done = in_base(base_install, state + VERIFY.format(file=file, trust=trust))
    assert done.returncode == code, done.stdout + done.stderr


def test_base_install_says_what_other_verbs_need(base_install: Path, tmp_path: Path) -> None:
    arguments = f"['creditbank', 'ledger', 'audit', '--data', {str(tmp_path)!r}]"
    done = in_base(
        base_install, f"import sys; sys.argv = {arguments}\nfrom bank.cli import main\nmain()"
    )
    assert done.returncode == 1
    assert "install creditbank[bank]" in done.stderr
    assert "Traceback" not in done.stderr
