"""A trust bundle on disk that may be replaced at any time: the newest good one is what counts."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from verifier.errors import BadTrust, Unreadable, VerifierError
from verifier.files import read_limited
from verifier.memory import check_follows, open_remembered
from verifier.trust import Trust

_SETTLED = 2 * 10**9
"""Nanoseconds after which a second change of a file is sure to show in its time."""


@dataclass(frozen=True, slots=True)
class _Good:
    data: bytes
    trust: Trust


def read_trust(path: Path) -> bytes:
    """The exact bytes of a trust bundle's file; BadTrust where it cannot be read."""
    try:
        return read_limited(path)
    except Unreadable as error:
        raise BadTrust(f"the trust bundle {error}") from error


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """BadTrust from inside names the file that was taken for a trust bundle."""
    try:
        yield
    except BadTrust as error:
        said = str(error)
        raise BadTrust(said if str(path) in said else f"{path}: {said}") from error


class TrustFile:
    """Reads the file again whenever it has changed, and keeps the last good bundle.

    `problem` says in one sentence why the file as it stands is not used; it is empty where it is.
    `memory` is the folder in which bundles seen are remembered. Besides, this object itself
    never goes back, nor over to another root, where nothing could be remembered.
    """

    def __init__(self, path: Path, memory: Path, root: str | None = None) -> None:
        """BadTrust where there is no good bundle to begin with."""
        self._path, self._memory, self._root = path, memory, root
        self._lock = threading.Lock()
        self._stamp: tuple[int, ...] | None = None
        self.problem = ""
        self._seen = self._read()
        self._good = _Good(self._seen, open_remembered(self._seen, memory, root))

    def trust(self) -> Trust:
        """The newest good trust bundle."""
        return self._newest().trust

    def data(self) -> bytes:
        """Its exact bytes."""
        return self._newest().data

    def _newest(self) -> _Good:
        with self._lock:
            try:
                data = self._read()
                if data != self._seen:
                    self._seen = data
                    self._take(data)
                    self.problem = ""
            except VerifierError as error:
                self.problem = str(error)
            return self._good

    def _read(self) -> bytes:
        """The file's bytes, from the disk only where it may have changed."""
        try:
            found = self._path.stat()
            stamp = (found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino)
            if stamp == self._stamp:
                return self._seen
            data = read_limited(self._path)
        except (OSError, VerifierError) as error:
            # Whatever comes back is looked at anew.
            self._stamp, self._seen = None, b""
            why = getattr(error, "strerror", None) or error
            raise BadTrust(f"the trust bundle {self._path} cannot be read: {why}") from error
        settled = max(stamp[:2]) + _SETTLED < time.time_ns()
        self._stamp = stamp if settled else None
        return data

    def _take(self, data: bytes) -> None:
        """Make it the good one; BadTrust where it is not."""
        before = self._good
        if data == before.data:
            return
        root = self._root or before.trust.governance.fingerprint
        trust = open_remembered(data, self._memory, root)
        if trust.origin != before.trust.origin:
            raise BadTrust(f"the trust bundle is of another log, {trust.origin}")
        roots = [known.fingerprint for known in before.trust.roots]
        if not {known.fingerprint for known in trust.roots}.isdisjoint(roots):
            check_follows(trust, roots)
        if trust.version <= before.trust.version:
            raise BadTrust(
                f"the trust bundle is version {trust.version} and not newer than version "
                f"{before.trust.version}, which is in use"
            )
        self._good = _Good(data, trust)
