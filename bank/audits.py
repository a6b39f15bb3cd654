"""Audits of the whole log in the background: one at a time, the last result kept on disk."""

import json
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from bank.errors import BankError
from ledger import LedgerError, format_time
from ledger.audit import AuditReport

_FILE = "last-audit.json"
Run = Callable[[Callable[[int], None]], AuditReport]


@dataclass(frozen=True, slots=True)
class AuditResult:
    """What the last audit came to. `fault` says why it broke off, where it did."""

    began: str
    ended: str
    size: int
    root: str
    lots: int
    checkpoints: int
    kinds: dict[str, int]
    problems: tuple[str, ...]
    fault: str = ""

    @property
    def passed(self) -> bool:
        """Whether it came to its end and nothing at all was wrong."""
        return not self.problems and not self.fault


@dataclass(frozen=True, slots=True)
class AuditState:
    """Whether one runs, how far it is, and the last result."""

    running: bool
    began: str
    done: int
    total: int
    last: AuditResult | None


class _ClosedError(Exception):
    """The bank is closed while an audit runs."""


class Audits:
    """Runs audits for a server; safe to share between threads."""

    def __init__(
        self,
        run: Run,
        size: Callable[[], int],
        clock: Callable[[], datetime],
        folder: Path,
    ) -> None:
        """`run` audits, and tells how many entries are done; the result is kept in `folder`."""
        self._run = run
        self._size = size
        self._clock = clock
        self._file = folder / _FILE
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._began = ""
        self._done = self._total = 0
        self._closed = False
        self._last = _read(self._file)

    def start(self) -> bool:
        """Begin an audit; False where one runs already."""
        total = self._size()
        with self._lock:
            if self._thread is not None or self._closed:
                return False
            self._began, self._done, self._total = self._now(), 0, total
            self._thread = threading.Thread(target=self._work, name="audit", daemon=True)
            self._thread.start()
            return True

    def state(self) -> AuditState:
        """How things stand."""
        with self._lock:
            running = self._thread is not None
            return AuditState(running, self._began, self._done, self._total, self._last)

    def close(self) -> None:
        """Break off what runs."""
        with self._lock:
            self._closed = True
            thread = self._thread
        if thread is not None:
            thread.join(timeout=30)

    def _work(self) -> None:
        result: AuditResult | None = None
        try:
            found = self._run(self._progress)
            result = _result(self._began, self._now(), found)
        except _ClosedError:
            pass
        except (BankError, LedgerError) as error:
            result = self._broken(str(error))
        except Exception as error:
            # It must be told, whatever it is: an audit that never ends looks like one that runs.
            result = self._broken(f"{type(error).__name__} stopped it")
        finally:
            if result is not None:
                _write(self._file, result)
            with self._lock:
                self._thread = None
                self._last = result or self._last

    def _broken(self, fault: str) -> AuditResult:
        return AuditResult(self._began, self._now(), self._done, "", 0, 0, {}, (), fault)

    def _progress(self, done: int) -> None:
        self._done = done
        if self._closed:
            raise _ClosedError

    def _now(self) -> str:
        return format_time(self._clock())


def last_audit(folder: Path) -> AuditResult | None:
    """The result kept in a bank's folder, or None where there is none that can be read."""
    return _read(folder / _FILE)


def keep_audit(folder: Path, began: str, ended: str, found: AuditReport) -> None:
    """Keep the result of an audit in a bank's folder."""
    _write(folder / _FILE, _result(began, ended, found))


def _result(began: str, ended: str, found: AuditReport) -> AuditResult:
    return AuditResult(
        began,
        ended,
        found.size,
        found.root.hex(),
        found.lots,
        found.checkpoints,
        found.kinds,
        found.problems,
    )


def _write(file: Path, result: AuditResult) -> None:
    partial = file.with_suffix(".partial")
    try:
        partial.write_text(json.dumps(asdict(result), ensure_ascii=False), encoding="utf-8")
        partial.replace(file)
    except OSError:
        pass  # the result is known until the server ends


def _read(file: Path) -> AuditResult | None:
    """The result kept before, or None where there is none that can be read."""
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
        return AuditResult(**{**values, "problems": tuple(values["problems"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None
