"""The house rules that no linter sees: what an import drags in, and what a wheel would contain."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

PACKAGES = ("keys", "ledger", "credentials", "verifier", "bank")
# Top-level modules of a database, a web framework or a network client.
HEAVY = {
    "aiohttp",
    "bank",
    "fastapi",
    "ftplib",
    "http.client",
    "http.server",
    "httpcore",
    "httpx",
    "psycopg",
    "requests",
    "socketserver",
    "sqlalchemy",
    "sqlite3",
    "starlette",
    "urllib.request",
    "uvicorn",
}


def modules_after(statement: str) -> set[str]:
    """Run one statement in a fresh interpreter and return the modules it loaded."""
    code = f"{statement}\nimport json, sys; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("package", ["keys", "credentials", "ledger", "verifier"])
def test_import_loads_no_database_web_or_network(package: str) -> None:
    assert modules_after(f"import {package}") & HEAVY == set()


@pytest.mark.parametrize("module", ["bank.cli", "verifier.cli", "verifier.verification"])
def test_the_command_starts_without_database_or_web(module: str) -> None:
    assert modules_after(f"import {module}") & (HEAVY - {"bank"}) == set()


def test_the_api_does_load_them() -> None:
    assert {"sqlalchemy", "fastapi"} <= modules_after("import bank.api.app")


@pytest.mark.parametrize("heavy", ["sqlalchemy", "fastapi", "httpx"])
def test_the_check_above_would_see_them(heavy: str) -> None:
    assert heavy in modules_after(f"import verifier, {heavy}") & HEAVY


def test_bank_import_is_light() -> None:
    loaded = modules_after("import bank")
    assert loaded & (HEAVY - {"bank"}) == set()


@pytest.mark.parametrize("package", PACKAGES)
def test_public_names_exist_and_are_sorted(package: str) -> None:
    code = (
        f"import {package} as p, json\n"
        "names = list(getattr(p, '__all__', []))\n"
        "missing = [n for n in names if not hasattr(p, n)]\n"
        "print(json.dumps([p.__doc__, names, missing]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    docstring, names, missing = json.loads(done.stdout)
    assert docstring
    assert missing == []
    assert len(names) == len(set(names))


def test_five_packages_and_nothing_else_are_installed(repo: Path) -> None:
    project = tomllib.loads((repo / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = project["tool"]["setuptools"]["packages"]["find"]["include"]
    assert sorted(wanted) == sorted(
        pattern for package in PACKAGES for pattern in (package, f"{package}.*")
    )
    assert not list((repo / "tests").glob("**/__init__.py"))
    for package in PACKAGES:
        assert not (repo / "tests" / package).exists(), f"tests/{package} would hide {package}"


@pytest.mark.parametrize("lock", ["verifier", "run", "dev"])
def test_lock_names_no_host_and_no_machine(repo: Path, lock: str) -> None:
    text = (repo / "requirements" / f"{lock}.txt").read_text(encoding="utf-8")
    assert "://" not in text
    assert "--index" not in text
    assert "--find-links" not in text
    for line in text.splitlines():
        if line and not line.startswith((" ", "#")):
            assert "==" in line, f"not an exact version: {line}"
            assert line.endswith("\\"), f"without a hash: {line}"


def test_what_runs_is_what_was_tested(repo: Path) -> None:
    def versions(lock: str) -> set[str]:
        lines = (repo / "requirements" / f"{lock}.txt").read_text(encoding="utf-8").splitlines()
        return {line.split(" ")[0] for line in lines if "==" in line}

    assert versions("verifier") <= versions("run") <= versions("dev")
