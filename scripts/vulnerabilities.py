"""Asks the index's vulnerability service about every package of the lock files, by pip-audit.

pip-audit counts a package that the service does not know as one without faults, so an index that
has no such service would pass everything. Hence the control: a release known to be vulnerable is
asked about first, and only a service that finds it is believed.

Exit code 0: asked, and nothing is known. 1: something is known. 3: could not ask.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

CONTROL = "jinja2==2.11.2 --hash=sha256:" + "0" * 64
"""Open to CVE-2020-28493."""
KNOWN, COULD_NOT_ASK = 1, 3


def ask(program: list[str], requirements: Path) -> list[dict[str, object]] | str:
    """What pip-audit says of each package; a sentence where it says nothing."""
    options = ["--requirement", str(requirements), "--require-hashes", "--disable-pip"]
    options += ["--format", "json", "--progress-spinner", "off"]
    done = subprocess.run([*program, *options], capture_output=True, text=True)
    try:
        return list(json.loads(done.stdout)["dependencies"])
    except (ValueError, KeyError):
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        return last[:200]


def could_not_ask(why: str) -> int:
    print(f"vulnerabilities: COULD NOT ASK: {why}; nothing was checked", file=sys.stderr)
    return COULD_NOT_ASK


def main(program: list[str], locks: list[Path]) -> int:
    with tempfile.TemporaryDirectory() as folder:
        control = Path(folder) / "control.txt"
        control.write_text(CONTROL + "\n")
        answer = ask(program, control)
    if isinstance(answer, str):
        return could_not_ask(answer)
    if not any(one.get("vulns") for one in answer):
        return could_not_ask("the service does not know a release that is vulnerable for certain")
    known = []
    for lock in locks:
        answer = ask(program, lock)
        if isinstance(answer, str):
            return could_not_ask(answer)
        skipped = [str(one["name"]) for one in answer if one.get("skip_reason")]
        if skipped:
            return could_not_ask(f"the service does not know {', '.join(skipped)} of {lock}")
        for one in answer:
            for fault in one.get("vulns") or ():  # type: ignore[attr-defined]
                known.append(f"{lock}: {one['name']} {one['version']} has {fault['id']}")
    for sentence in sorted(set(known)):
        print(f"vulnerabilities: {sentence}", file=sys.stderr)
    if not known:
        print("vulnerabilities: none is known of any package of the lock files")
    return KNOWN if known else 0


if __name__ == "__main__":
    audit = [sys.executable, "-m", "pip_audit"]
    sys.exit(main(audit, [Path(name) for name in sys.argv[1:]]))
