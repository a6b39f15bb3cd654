"""Bad input gets one clear sentence, a non-zero exit, and changes nothing."""

import resource
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from keys import Json, PrivateKey, encode, open_signer, parse
from tests.api_kit import new_token
from verifier import open_trust

Run = Callable[..., subprocess.CompletedProcess[str]]


def one_sentence(done: subprocess.CompletedProcess[str], *says: str) -> None:
    """It failed, told why in a few plain words, and did not fall over."""
    assert done.returncode not in (0, 3), done.stdout
    assert "Traceback" not in done.stderr
    for word in says:
        assert word in done.stderr, done.stderr


@dataclass(frozen=True)
class Desk:
    """A copy of the story's bank to import into."""

    data: Path
    run: Run
    samples: Path

    def size(self) -> int:
        with sqlite3.connect(self.data / "bank.db") as database:
            return int(database.execute("SELECT size FROM head").fetchone()[0])

    def load(self, file: Path, **environment: str) -> subprocess.CompletedProcess[str]:
        return self.run(
            *("import", str(file), "--mapping", str(self.samples / "results.mapping.toml")),
            *("--institutions", str(self.samples / "institutions.toml")),
            *("--members", str(self.data / "members"), "--data", str(self.data)),
            **environment,
        )


@pytest.fixture
def desk(story: Any, tmp_path: Path, run: Run, repo: Path) -> Desk:
    data = tmp_path / "var"
    subprocess.run(["cp", "-r", str(story.data), str(data)], check=True)
    # The sisters of the story are gone: nobody is asked.
    toml = (data / "bank.toml").read_text(encoding="utf-8")
    (data / "bank.toml").write_text(toml.replace("127.0.0.1", "127.0.0.2"), encoding="utf-8")
    return Desk(data, run, repo / "docs" / "samples")


ROWS = [
    ("学分", "two", "line 2, credits"),
    ("学分", "-1", "line 2, credits"),
    ("学分", "1.23456", "line 2, credits"),
    ("机构", "无名大学", "line 2, institution"),
    ("认定日期", "July", "line 2, awarded"),
]


@pytest.mark.parametrize(("column", "value", "says"), ROWS)
def test_a_bad_row(desk: Desk, tmp_path: Path, column: str, value: str, says: str) -> None:
    lines = (desk.samples / "results.csv").read_text(encoding="utf-8").splitlines()
    names, row = lines[0].split(","), lines[1].split(",")
    row[names.index("学号")] = "NEW1"
    good = ",".join(row)
    row[names.index(column)] = value
    file = tmp_path / "results.csv"
    before = desk.size()
    file.write_text("\n".join([lines[0], ",".join(row), *lines[2:5]]), encoding="utf-8")
    one_sentence(desk.load(file), "nothing was imported", says)
    assert desk.size() == before
    file.write_text("\n".join([lines[0], good, *lines[2:5]]), encoding="utf-8")
    assert desk.load(file).stdout.strip() == "1 awarded, 3 already in the ledger"


def test_files_that_cannot_be_read(desk: Desk, tmp_path: Path) -> None:
    sample = (desk.samples / "results.csv").read_bytes()
    lines = sample.decode().splitlines()
    before = desk.size()
    for name, content, says in (
        ("column.csv", "\n".join(line.replace("学分", "x", 1) for line in lines).encode(), "学分"),
        ("empty.csv", b"", "empty"),
        ("utf16.csv", sample.decode().encode("utf-16"), "UTF-16"),
        ("latin.csv", "Müller,Señor,à\n".encode("latin-1") * 50, "latin.csv"),
    ):
        file = tmp_path / name
        file.write_bytes(content)
        one_sentence(desk.load(file), name, says)
    one_sentence(desk.load(tmp_path / "none.csv"), "none.csv")
    twice = tmp_path / "twice.csv"
    twice.write_text("\n".join([lines[0], lines[1], lines[1]]), encoding="utf-8")
    one_sentence(desk.load(twice), "line 3", "duplicate of line 2")
    assert desk.size() == before


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8-sig"])
def test_encodings_that_registrars_have(desk: Desk, tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "other.csv"
    file.write_bytes((desk.samples / "results.csv").read_bytes().decode().encode(encoding))
    assert desk.load(file).stdout.strip() == "0 awarded, 300 already in the ledger"


def test_a_line_of_a_gigabyte(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "long.csv"
    with file.open("wb") as out:
        out.write((desk.samples / "results.csv").read_bytes() + "嘉陵理工学院,".encode())
        out.truncate(1024**3)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "bank.cli", "import", str(file)),
            *("--mapping", str(desk.samples / "results.mapping.toml")),
            *("--institutions", str(desk.samples / "institutions.toml")),
            *("--members", str(desk.data / "members"), "--data", str(desk.data)),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (900 * 1024**2,) * 2),
    )
    one_sentence(done, "long.csv", "line ")


def test_the_same_record_with_other_content_is_a_conflict(desk: Desk, tmp_path: Path) -> None:
    lines = (desk.samples / "results.csv").read_text(encoding="utf-8").splitlines()
    names, row = lines[0].split(","), lines[1].split(",")
    row[names.index("成绩")] = "Z"
    file = tmp_path / "changed.csv"
    file.write_text("\n".join([lines[0], ",".join(row)]), encoding="utf-8")
    before = desk.size()
    one_sentence(desk.load(file), "line 2: ", "was awarded already", "with other content")
    assert desk.size() == before


def test_keystores_and_keys(desk: Desk, tmp_path: Path, run: Run) -> None:
    sample = desk.samples / "results.csv"
    wrong = desk.load(sample, CREDITBANK_PASSPHRASE="wrong")
    one_sentence(wrong, ".keystore does not open: wrong passphrase")
    secret = (desk.data / "passphrase").read_text().strip()
    quorum = [
        part
        for number in (1, 2)
        for part in ("--governance", str(desk.data / f"governance/regulator-{number}.keystore"))
    ]
    admit = ("member", "admit", "--institutions", str(desk.samples / "institutions.toml"))
    small = "z6MkeTG3bFFSLYVU7VqhgZxqr6YzpaGrQtFMh1uvqGy1vDnP"
    for slug, key, says in (
        ("bayu-open", small, "small order"),
        ("bayu-open", "z6Mk", "Multikey"),
        ("nowhere", PrivateKey.generate().public_key.multikey, "describes no institution"),
    ):
        done = run(*admit, "--slug", slug, "--key", key, *quorum, "--data", str(desk.data))
        one_sentence(done, says)
    # One governor is not a quorum.
    other = PrivateKey.generate().public_key.multikey
    done = run(*admit, "--slug", "bayu-open", "--key", other, *quorum[:2], "--data", str(desk.data))
    one_sentence(done, "takes signatures by 2 of the governance keys")
    # A key that nobody registered, and one that was retired.
    signing = desk.data / "members" / "bayu-open" / "signing.keystore"
    key = open_signer(f"file:{signing}", secret).public_key.multikey
    done = run(
        *("member", "retire-key", "--slug", "bayu-open", "--key", key, *quorum),
        *("--data", str(desk.data)),
    )
    assert done.returncode == 0, done.stderr
    fresh = tmp_path / "fresh.csv"
    lines = sample.read_text(encoding="utf-8").splitlines()
    row = next(line for line in lines if line.startswith("巴渝开放大学"))
    fresh.write_text("\n".join([lines[0], row.replace("BYO", "NEW")]), encoding="utf-8")
    before = desk.size()
    one_sentence(desk.load(fresh), "was retired")
    signing.unlink()
    from keys import write_keystore

    write_keystore(signing, PrivateKey.generate().seed, secret)
    one_sentence(desk.load(fresh), "is not registered for")
    assert desk.size() == before


def test_what_a_verifier_is_shown(story: Any, tmp_path: Path, run: Run) -> None:
    from PIL import Image

    Image.new("L", (300, 300), 255).save(tmp_path / "white.png")
    good = story.bundle.read_bytes()
    for name, content, says in (
        ("cut.json", good[:900], "cut.json cannot be read"),
        ("empty.json", b"", "empty.json is empty"),
        ("list.json", b"[1]", "list.json is no credential"),
        ("white.png", (tmp_path / "white.png").read_bytes(), "no QR code found in"),
        ("half.png", (story.out / "learner.qr.png").read_bytes()[:500], "half.png"),
        ("text.txt", b"hello", "text.txt cannot be read"),
    ):
        (tmp_path / name).write_bytes(content)
        done = run("verify", str(tmp_path / name), "--trust", str(story.trust))
        assert done.returncode == 2
        one_sentence(done, says)
    done = run("verify", str(tmp_path / "none"), "--trust", str(story.trust))
    assert done.returncode == 2
    one_sentence(done, "none cannot be read: No such file")
    done = run("verify", str(story.bundle), "--trust", str(story.trust), "--at", "yesterday")
    assert done.returncode == 2
    one_sentence(done, "--at is not a time")
    done = run("verify", str(story.bundle), "--trust", str(story.trust), "--lang", "fr")
    one_sentence(done, "--lang: invalid choice: 'fr'")


def test_trust_bundles(story: Any, tmp_path: Path, run: Run) -> None:
    governance = [
        open_signer(
            f"file:{story.data / 'governance' / f'regulator-{number}.keystore'}",
            (story.data / "passphrase").read_text().strip(),
        )
        for number in (1, 2)
    ]
    from dataclasses import replace

    trust = open_trust(story.trust.read_bytes())

    def check(content: bytes) -> subprocess.CompletedProcess[str]:
        (tmp_path / "t.json").write_bytes(content)
        return run("verify", str(story.bundle), "--trust", str(tmp_path / "t.json"))

    newer = replace(trust, version=7)
    assert check(newer.sign(governance)).returncode == 0
    older = check(replace(trust, version=6).sign(governance))
    assert older.returncode == 2
    one_sentence(older, "is version 6, older than version 7 already seen")
    twin = check(replace(newer, expires=newer.expires + timedelta(days=1)).sign(governance))
    assert twin.returncode == 2
    one_sentence(twin, "two different trust bundles of version 7")
    strangers = [PrivateKey.generate(), PrivateKey.generate()]
    keys = tuple(sorted(signer.public_key.multikey for signer in strangers))
    foreign = replace(newer, version=8, roots=(replace(trust.governance, keys=keys),))
    wrong = check(foreign.sign(strangers))
    assert wrong.returncode == 2
    one_sentence(wrong, "signed by the wrong root")
    one_sentence(check(replace(newer, version=9).sign(governance[:1])), "it takes 2")
    one_sentence(check(replace(newer, version=9).sign(strangers)), "does not govern")
    past = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
    expired = check(replace(newer, version=9, expires=past).sign(governance))
    assert expired.returncode == 4
    assert "expired on" in expired.stdout
    one_sentence(check(b"{}"), "not a trust bundle")
    one_sentence(
        run("verify", str(story.bundle), "--trust", str(tmp_path / "no")), "cannot be read"
    )
    (tmp_path / "state" / "trust-seen.json").write_text("{")
    one_sentence(check(newer.sign(governance)), "trust-seen.json", "restore or remove it")


def test_statements_over_http(story: Any, tmp_path: Path) -> None:
    from bank.api.app import make_app
    from bank.cli.background import served
    from bank.opening import open_bank

    data = tmp_path / "var"
    subprocess.run(["cp", "-r", str(story.data), str(data)], check=True)
    bank = open_bank(data, (data / "passphrase").read_text().strip())
    size = bank.log.size()
    entry = parse(bank.log.entry(40))
    assert isinstance(entry, dict)
    signed: dict[str, Json] = {"signatures": entry["signatures"], "statement": entry["statement"]}
    exact = encode({"statements": [{"signed": signed}]})
    bearing = {"Authorization": f"Bearer {new_token(bank, bank.settings.did)}"}
    with served(make_app(bank)) as url, httpx.Client(base_url=url) as http:

        def post(body: bytes) -> httpx.Response:
            return http.post("/statements", content=body, headers=bearing)

        again = post(exact).json()["outcomes"][0]
        assert (again["outcome"], again["index"], again["repeated"]) == ("appended", 40, True)
        for body, says in (
            (exact.replace(b'":', b'": ', 1), "canonical"),
            (exact.replace(b"ed25519-jcs", b"sm2-sm3-jcs"), "not known here"),
            (exact.replace(b'"award"', b'"gift"'), "'gift' is not known"),
            (exact.replace(b'"credits":"', b'"credits":"-'), "'credits'"),
            (b"{", "not JSON"),
            (b"{}", "under 'statements'"),
        ):
            answer = post(body)
            assert answer.status_code == 400, says
            assert answer.headers["content-type"] == "application/problem+json"
            assert says in answer.json()["detail"]
        forged = post(exact.replace(b'"level":"', b'"level":"1', 1)).json()["outcomes"][0]
        assert forged["outcome"] == "declined"
        assert "does not match" in forged["reason"]
    assert bank.log.size() == size
    bank.close()
