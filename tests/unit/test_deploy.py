"""The files of a deployment: units that systemd takes and finds tight, a compose file, an image."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from bank.cli.main import app
from bank.settings import ELSEWHERE, Settings, variable

REPO = Path(__file__).resolve().parent.parent.parent
UNITS = sorted((REPO / "deploy" / "systemd").iterdir())
SERVICES = [path for path in UNITS if path.suffix == ".service"]
KNOWN = {variable(name) for name in Settings.model_fields} | set(ELSEWHERE)
MOST_EXPOSED = 2.0
"""Of systemd's scale from 0 to 10; a unit without any of this has 9.6."""


def analyze(*arguments: str) -> str:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not on this machine; scripts/test installs it")
    done = subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True)
    return done.stdout + done.stderr


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The units with a program that is there."""
    for path in UNITS:
        text = path.read_text(encoding="utf-8")
        (tmp_path / path.name).write_text(
            text.replace("/opt/creditbank/bin/creditbank", "/bin/true")
        )
    return tmp_path


@pytest.mark.parametrize("name", [path.name for path in UNITS])
def test_systemd_takes_a_unit(units: Path, name: str) -> None:
    assert analyze("verify", "--man=no", str(units / name)) == ""


def test_control_a_wrong_unit_is_told(units: Path) -> None:
    unit = units / "creditbank.service"
    unit.write_text(unit.read_text().replace("ProtectSystem=strict", "ProtectSystm=strict"))
    assert "ProtectSystm" in analyze("verify", "--man=no", str(unit))


@pytest.mark.parametrize("name", [path.name for path in SERVICES])
def test_a_service_may_do_little(units: Path, name: str) -> None:
    told = analyze("security", "--offline=true", "--no-pager", str(units / name))
    exposure = re.search(r"exposure level for \S+: ([0-9.]+)", told)
    assert exposure is not None, told
    assert float(exposure[1]) <= MOST_EXPOSED


def test_control_an_open_service_may_do_much(units: Path) -> None:
    unit = units / "creditbank.service"
    text = unit.read_text()
    unit.write_text(text[: text.index("NoNewPrivileges")])
    told = analyze("security", "--offline=true", "--no-pager", str(unit))
    exposure = re.search(r"exposure level for \S+: ([0-9.]+)", told)
    assert exposure is not None
    assert float(exposure[1]) > 4


def test_what_units_run_and_set_exists() -> None:
    from typer.testing import CliRunner

    for path in SERVICES:
        text = path.read_text(encoding="utf-8")
        (command,) = re.findall(r"^ExecStart=/opt/creditbank/bin/creditbank (.*)$", text, re.M)
        assert _help(CliRunner(), command) == "", path.name
        assert set(re.findall(r"^Environment=(\w+)=", text, re.M)) <= KNOWN


def _help(runner: Any, command: str) -> str:
    """What is unknown of a command, by its own help."""
    words = command.split()
    done = runner.invoke(app, [*words[:2], "--help"], env={"COLUMNS": "200"})
    options = [word for word in words if word.startswith("--")]
    unknown = [word for word in options if word not in done.stdout]
    return "" if done.exit_code == 0 and not unknown else f"{command}: {unknown}"


@pytest.fixture(scope="module")
def compose() -> Any:
    return yaml.safe_load((REPO / "deploy" / "compose.yaml").read_text(encoding="utf-8"))


def test_the_compose_file_is_whole(compose: Any) -> None:
    assert set(compose["services"]) == {"postgres", "bank", "witness-sichuan", "witness-chengdu"}
    for name, service in compose["services"].items():
        assert "image" in service or "build" in service
        for secret in service["secrets"]:
            assert secret in compose["secrets"]
        for volume in service["volumes"]:
            assert volume.partition(":")[0] in compose["volumes"]
        for network in service["networks"]:
            assert network in compose["networks"]
        for other in service.get("depends_on", {}):
            assert other in compose["services"]
        for published in service.get("ports", ()):
            assert published.startswith("127.0.0.1:"), f"{name} is open to strangers"
        if name != "postgres":
            assert service["read_only"] is True
            assert service["cap_drop"] == ["ALL"]
            names = {each.removesuffix("_FILE") for each in service["environment"]}
            assert names <= KNOWN
            for value in service["environment"].values():
                assert "password" not in value.lower()


def test_the_image_installs_the_lock_and_is_not_root() -> None:
    text = (REPO / "Containerfile").read_text(encoding="utf-8")
    assert "--require-hashes --only-binary :all: -r requirements/run.txt" in text
    stages = text.split("\nFROM ")
    assert len(stages) == 3
    assert "\nUSER 10001:10001\n" in stages[2]
    copied = {line.split()[1] for line in stages[1].splitlines() if line.startswith("COPY ")}
    assert {"keys", "ledger", "credentials", "verifier", "bank"} <= copied
    allowed = (REPO / ".containerignore").read_text(encoding="utf-8").splitlines()
    assert all(f"!{name}" in allowed for name in copied - {"pyproject.toml"})
