"""Bills of materials say what the locks say; asking about vulnerabilities never passes idly."""

from __future__ import annotations

import json
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

JINJA = {"name": "jinja2", "version": "2.11.2", "vulns": [{"id": "PYSEC-2021-66"}]}
CLEAN = {"name": "typer", "version": "0.29.2", "vulns": []}
FAULTY = {"name": "typer", "version": "0.29.2", "vulns": [{"id": "CVE-1"}]}
SKIPPED = {"name": "typer", "skip_reason": "Dependency not found on PyPI"}


def locked(path: Path) -> dict[str, str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    pinned = [line.split()[0].split("==") for line in lines if line[:1].isalnum()]
    return {name.partition("[")[0]: version for name, version in pinned}


def test_the_bills_say_what_the_locks_say(repo: Path, tmp_path: Path) -> None:
    subprocess.run([repo / "scripts" / "sbom", tmp_path], check=True, capture_output=True)
    for lock in ("verifier", "run"):
        bill = json.loads((tmp_path / f"{lock}.cdx.json").read_bytes())
        assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
        assert bill["metadata"]["component"]["name"] == "creditbank"
        found = {one["name"]: one["version"] for one in bill["components"]}
        assert found == locked(repo / "requirements" / f"{lock}.txt")
        for one in bill["components"]:
            hashes = [each["hashes"] for each in one["externalReferences"] if "hashes" in each]
            assert hashes, f"{one['name']} has no hash"
    bill = json.loads((tmp_path / "browser.cdx.json").read_bytes())
    wanted = json.loads((repo / "scripts" / "browser-packages" / "package.json").read_bytes())
    assert set(wanted["dependencies"]) <= {one["name"] for one in bill["components"]}


@pytest.mark.parametrize("folder", ["verifier/web/vendor", "bank/pages/static/vendor"])
def test_vendored_files_are_those_recorded(repo: Path, folder: str) -> None:
    recorded = json.loads((repo / folder / "hashes.json").read_bytes())
    files = {path.name: path.read_bytes() for path in (repo / folder).iterdir()}
    del files["hashes.json"]
    assert recorded == {name: sha256(data).hexdigest() for name, data in files.items()}
    name = next(iter(files))
    changed = {**files, name: files[name] + b" "}
    assert recorded != {name: sha256(data).hexdigest() for name, data in changed.items()}


def ask(repo: Path, folder: Path, control: object, lock: object) -> tuple[int, str]:
    """Exit code and words, with a pip-audit that answers this about the control and the lock."""
    program = folder / "pip_audit.py"
    program.write_text(
        "import sys\n"
        "of_control = 'control' in sys.argv[2]\n"
        f"answer = {control!r} if of_control else {lock!r}\n"
        "if answer is None:\n"
        "    sys.exit('cannot resolve the service')\n"
        "import json\n"
        "print(json.dumps({'dependencies': answer}))\n"
    )
    done = subprocess.run(
        [sys.executable, str(repo / "scripts" / "vulnerabilities.py"), "some.txt"],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(folder)},
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("control", "lock", "code", "words"),
    [
        ([JINJA], [CLEAN], 0, "none is known"),
        ([JINJA], [FAULTY], 1, "typer 0.29.2 has CVE-1"),
        ([JINJA], [CLEAN, SKIPPED], 3, "COULD NOT ASK: the service does not know typer"),
        ([JINJA], None, 3, "COULD NOT ASK: cannot resolve the service"),
        (None, [CLEAN], 3, "COULD NOT ASK: cannot resolve the service"),
        # What an index without the service leads pip-audit to: all is well.
        ([{**JINJA, "vulns": []}], [CLEAN], 3, "COULD NOT ASK"),
        ([{"name": "jinja2", "skip_reason": "not found"}], [CLEAN], 3, "COULD NOT ASK"),
    ],
)
def test_no_service_is_no_answer(
    repo: Path, tmp_path: Path, control: object, lock: object, code: int, words: str
) -> None:
    found, told = ask(repo, tmp_path, control, lock)
    assert found == code, told
    assert words in told
