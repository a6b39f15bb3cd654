"""What all tests share: data of others, a real PostgreSQL server, and no silent skips in CI."""

from __future__ import annotations

import fcntl
import functools
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

from tests.command_kit import creditbank
from tests.keystore_kit import make_cheap

make_cheap()

REPO = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("CREDITBANK_SHARED") or REPO.parent / "shared")
_MARKED = "CREDITBANK_TEST_MARKED"
LONGEST = ("test_pages_registrar", "test_oulad_bank", "test_oulad_import")
"""Files, longest first, of which one begun late would keep one worker busy after all others."""
TEST_ALL = os.environ.get("CREDITBANK_TEST_ALL") == "1"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave tests marked slow out, unless -m or a test's own name asks for them.

    Slow ones may take as long as they like; any other that hangs is ended and told. What takes
    longest goes first.
    """
    order = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: order.get(item.path.stem, len(order)))
    for item in items:
        if item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.timeout(0))
    named = any("::" in argument for argument in config.args)
    if named or "-m" in _options(config) or os.environ.get(_MARKED):
        return
    slow = [item for item in items if item.get_closest_marker("slow")]
    if slow:
        config.hook.pytest_deselected(items=slow)
        items[:] = [item for item in items if not item.get_closest_marker("slow")]


def pytest_configure(config: pytest.Config) -> None:
    """Let the workers of a parallel run know that -m was given: they are not told."""
    if "-m" in _options(config):
        os.environ[_MARKED] = "1"


def _options(config: pytest.Config) -> set[str]:
    """Return the short options given: `config.option` does not tell `-m ''` from no -m."""
    return {argument[:2] for argument in config.invocation_params.args}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Iterator[None]:  # a wrapper hook: it yields for the report and returns it
    """Turn a skip into a failure where nothing may be missing (CREDITBANK_TEST_ALL=1)."""
    report = yield
    if TEST_ALL and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped although CREDITBANK_TEST_ALL=1: {_reason(report.longrepr)}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Iterator[None]:
    """Do the same for a module that skips itself while it is collected (pytest.importorskip)."""
    report = yield
    if TEST_ALL and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"skipped although CREDITBANK_TEST_ALL=1: {_reason(report.longrepr)}"
    return report


def _reason(longrepr: object) -> str:
    return str(longrepr[2]) if isinstance(longrepr, tuple) else str(longrepr)


@pytest.fixture(scope="session")
def repo() -> Path:
    """The repository's root folder."""
    return REPO


@pytest.fixture(scope="session")
def shared_data() -> Callable[[str], Path]:
    """Find a file of `shared/data` by its relative name; skip the test where it is absent.

    The folder is `$CREDITBANK_SHARED/data`, or `../shared/data` beside the repository.
    """

    def find(relative: str) -> Path:
        path = SHARED / "data" / relative
        if not path.exists():
            pytest.skip(f"the shared data '{relative}' is not on this machine (CREDITBANK_SHARED)")
        return path

    return find


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real PostgreSQL server of this test session's own: its SQLAlchemy URL.

    Every test that writes should make its own database or schema in it.
    """
    server = _postgres_server()
    with server.running() as url:
        yield url


def _postgres_server() -> ModuleType:
    """Load `tests/postgres_server.py` by path: `tests` is not a package and not on sys.path."""
    import importlib.util

    spec = importlib.util.spec_from_file_location(
        "postgres_server", Path(__file__).with_name("postgres_server.py")
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def token(tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    """One token in software for all tests of a process, whose library reads its settings once.

    Every test names keys of its own in it.
    """
    from tests.token_kit import make_token

    made = make_token(tmp_path_factory.mktemp("token"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOFTHSM2_CONF", str(made.config))
        yield made


@dataclass(frozen=True)
class Story:
    """What a run of the demo left behind."""

    data: Path
    out: Path
    output: str

    @property
    def bundle(self) -> Path:
        """The learner's bundle."""
        return self.out / "learner.bundle.json"

    @property
    def trust(self) -> Path:
        """The trust bundle."""
        return self.out / "trust.json"


@pytest.fixture(scope="session")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """The whole story, played once by the command itself; do not change what it left."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent  # common to all workers: the first that wants the story plays it
    data, out, told = (folder / f"story-{name}" for name in ("var", "out", "told"))
    with (folder / "story-lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not told.exists():
            done = creditbank("demo", "--no-serve", "--data", str(data), "--out", str(out))
            assert done.returncode == 0, done.stderr
            told.write_text(done.stdout + done.stderr, encoding="utf-8")
    return Story(data, out, told.read_text(encoding="utf-8"))


@pytest.fixture
def in_chongqing(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The local time is Chongqing's, eight hours ahead."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "CST-8")
        time.tzset()
        yield
    time.tzset()


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """The command `creditbank`, with a memory of trust bundles of its own."""
    return functools.partial(creditbank, CREDITBANK_STATE=str(tmp_path / "state"))
