"""Settings: what bank.toml and the environment say, which wins, and how a wrong one is told."""

from pathlib import Path

import pytest

from bank.errors import BadSetup
from bank.settings import ELSEWHERE, Settings, read_settings, variable, write_settings
from keys import PrivateKey

KEY = PrivateKey.from_seed(bytes(32)).public_key.multikey


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("CREDITBANK_DATABASE_URL", raising=False)
    write_settings(
        tmp_path,
        domain="cq.example",
        origin="cq.example/1",
        name_en="CQ",
        name_zh="重庆",
        governance=[KEY],
        threshold=1,
        database="sqlite:///bank.db",
    )
    return tmp_path


def test_the_file_and_its_defaults(folder: Path) -> None:
    settings = read_settings(folder)
    assert settings.domain == "cq.example"
    assert settings.names == {"en": "CQ", "zh": "重庆"}
    assert settings.governance == (KEY,)
    assert settings.public_url == "https://cq.example"
    assert settings.metrics == ""


def test_the_environment_wins(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_settings(folder, public_url="https://file.example", witness_urls={"a": "http://file"})
    assert read_settings(folder).public_url == "https://file.example"
    monkeypatch.setenv("CREDITBANK_PUBLIC_URL", "https://environment.example/")
    monkeypatch.setenv("CREDITBANK_WITNESS_URLS", '{"b": "http://environment"}')
    monkeypatch.setenv("CREDITBANK_THRESHOLD", "3")
    monkeypatch.setenv("CREDITBANK_DATABASE_URL", "")
    settings = read_settings(folder)
    assert settings.public_url == "https://environment.example"
    assert settings.witness_urls == {"a": "http://file", "b": "http://environment"}
    assert settings.threshold == 3
    assert settings.database == "sqlite:///bank.db"


def test_a_secret_comes_from_a_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = folder / "database"
    secret.write_text("postgresql://bank:secret@/bank\n")
    monkeypatch.setenv("CREDITBANK_DATABASE_URL_FILE", str(secret))
    assert read_settings(folder).database == "postgresql://bank:secret@/bank"
    monkeypatch.setenv("CREDITBANK_DATABASE_URL", "sqlite:///x")
    with pytest.raises(BadSetup, match="are both set; leave one of them out"):
        read_settings(folder)
    monkeypatch.delenv("CREDITBANK_DATABASE_URL")
    secret.unlink()
    with pytest.raises(BadSetup, match=r"DATABASE_URL_FILE names .*: No such file"):
        read_settings(folder)


def test_what_was_written_is_kept(folder: Path) -> None:
    provider = {"name_en": "A", "name_zh": "甲", "issuer": "i", "client_id": "c"}
    text = (folder / "bank.toml").read_text()
    lines = "\n".join(f'{name} = "{value}"' for name, value in provider.items())
    text += f'\n[sign_in."a b"]\n{lines}\nclient_secret_file = "secret"\n'
    (folder / "bank.toml").write_text(text)
    (folder / "secret").write_text("s\n")
    write_settings(folder, witness_urls={"jiangsu.example/w": "http://w"})
    settings = read_settings(folder)
    assert settings.witness_urls == {"jiangsu.example/w": "http://w"}
    assert settings.providers["a b"].client_secret == "s"
    (folder / "secret").unlink()
    with pytest.raises(BadSetup, match=r"client_secret_file of sign_in\.a b names"):
        read_settings(folder)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("treshold = 2", "has 'treshold', which is unknown here; did you mean threshold?"),
        ("colour = 2", "which is unknown here; docs/configuration.md lists all"),
        ('metrics = "8401"', "'metrics' has a value of the wrong kind: it is not HOST:PORT"),
        ('public_url = "cq"', "'public_url' has a value of the wrong kind: it does not begin"),
        ('log_level = "loud"', "'log_level' has a value of the wrong kind: input should be"),
        ("[sign_in.a]\nissuer = 1", "wrong kind|lacks"),
        ('[sign_in.a]\nisuer = "x"', "lacks 'sign_in.a"),
    ],
)
def test_a_wrong_line_is_told(folder: Path, line: str, sentence: str) -> None:
    (folder / "bank.toml").write_text((folder / "bank.toml").read_text() + line)
    with pytest.raises(BadSetup, match=sentence) as told:
        read_settings(folder)
    assert "bank.toml" in str(told.value)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("CREDITBANK_PUBLIC_ULR", "x", "did you mean CREDITBANK_PUBLIC_URL"),
        ("CREDITBANK_GOVERNANCE", "a,b", "CREDITBANK_GOVERNANCE is not JSON"),
        ("CREDITBANK_THRESHOLD", "many", "CREDITBANK_THRESHOLD has a value of the wrong kind"),
        ("CREDITBANK_THRESHOLD", "0", "greater than or equal to 1"),
        ("CREDITBANK_FOLDER", "/", "CREDITBANK_FOLDER, which is unknown here"),
    ],
)
def test_a_wrong_variable_is_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(BadSetup, match=sentence) as told:
        read_settings(folder)
    assert name in str(told.value)


def test_no_value_is_repeated(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDITBANK_PUBLIC_URL", "hunter2")
    with pytest.raises(BadSetup) as told:
        read_settings(folder)
    assert "hunter2" not in str(told.value)


def test_the_page_lists_every_setting(repo: Path) -> None:
    page = (repo / "docs" / "configuration.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    wanted = []
    for name, field in Settings.model_fields.items():
        if name == "folder":
            continue
        default = field.get_default(call_default_factory=True)
        told = f"`{default}`" if isinstance(default, str) and default else ""
        shown = "none: must be given" if field.is_required() else told
        wanted.append(f"| `{name}` | `{variable(name)}` | {shown} | {field.description} |")
    wanted += [f"| `{name}` | {what} |" for name, what in ELSEWHERE.items()]
    assert rows == wanted
