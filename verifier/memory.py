"""What a verifier remembers between runs: each bank's pinned root and newest trust bundle."""

import contextlib
import os
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from keys import Json, KeysError, encode, parse
from verifier.errors import BadTrust
from verifier.trust import Trust, open_trust
from verifier.whole_file import write_whole


def default_folder() -> Path:
    """`$CREDITBANK_STATE`, or the user's own folder for program state; BadTrust without either."""
    chosen = os.environ.get("CREDITBANK_STATE")
    if chosen:
        return Path(chosen)
    base = os.environ.get("XDG_STATE_HOME")
    try:
        return (Path(base) if base else Path.home() / ".local" / "state") / "creditbank"
    except RuntimeError as error:
        raise BadTrust(
            "there is nowhere to remember trust bundles seen, for this user has no home: name a "
            "folder with CREDITBANK_STATE"
        ) from error


def open_remembered(data: bytes, folder: Path, root: str | None = None) -> Trust:
    """The trust bundle, if it agrees with what is remembered of its bank in `folder`.

    The root of a bank's first bundle is pinned, unless `root` names one; from the pinned root the
    bundle's rotations may lead to a newer one, which is pinned then. BadTrust where the root is
    another, or it or the bundle is older than one seen before.
    """
    trust = open_trust(data, root)
    path = folder / "trust-seen.json"
    seen = _read(path)
    digest = sha256(data).hexdigest()
    before = seen.get(trust.origin)
    if isinstance(before, dict):
        _compare(trust, digest, before, root, path)
        if before.get("digest") == digest:
            return trust
    seen[trust.origin] = {
        "digest": digest,
        "roots": [root.fingerprint for root in trust.roots],
        "version": trust.version,
    }
    _write(path, seen)
    return trust


def _compare(
    trust: Trust, digest: str, before: dict[str, Json], root: str | None, path: Path
) -> None:
    listed, version = before.get("roots"), before.get("version")
    pinned = [str(item) for item in (listed if isinstance(listed, list) else ())]
    known = {one.fingerprint for one in trust.roots}
    if known.isdisjoint(pinned) and root is None:
        raise BadTrust(
            f"the trust bundle is signed by the wrong root: {trust.origin} was pinned to "
            f"{pinned[-1][:16]}… when it was first seen (in {path}); name the root you mean "
            "with --root"
        )
    if not known.isdisjoint(pinned):
        check_follows(trust, pinned)
    if isinstance(version, int) and trust.version < version:
        raise BadTrust(
            f"the trust bundle is version {trust.version}, older than version {version} already "
            "seen from this bank; get the newest"
        )
    if trust.version == version and before.get("digest") != digest:
        raise BadTrust(
            f"there are two different trust bundles of version {version} of this bank; do not "
            "trust either, and report it"
        )


def check_follows(trust: Trust, seen: Sequence[str]) -> None:
    """BadTrust unless the bundle's chain of roots goes on from the one `seen` (fingerprints)."""
    chain = [root.fingerprint for root in trust.roots]
    if chain == list(seen[: len(chain)]) and len(chain) < len(seen):
        raise BadTrust(
            f"the trust bundle is signed by the governance root of version {len(chain)}, older "
            f"than version {len(seen)} already seen from this bank; get the newest"
        )
    if chain[: len(seen)] != list(seen):
        raise BadTrust(
            "the trust bundle's governance roots are not those already seen from this bank: "
            "there are two histories of them; do not trust either, and report it"
        )


def _read(path: Path) -> dict[str, Json]:
    try:
        value = parse(path.read_bytes())
        if not isinstance(value, dict) or not all(map(_is_memory, value.values())):
            raise KeysError("it does not hold what was seen of each bank")
    except FileNotFoundError:
        return {}
    except (OSError, KeysError) as error:
        raise BadTrust(
            f"{path}, which remembers the trust bundles seen, cannot be read ({error}); restore "
            "or remove it"
        ) from error
    return value


def _is_memory(value: Json) -> bool:
    # Were half of one passed over, an older bundle would pass too.
    return (
        isinstance(value, dict)
        and isinstance(value.get("digest"), str)
        and type(value.get("version")) is int
        and isinstance(roots := value.get("roots"), list)
        and bool(roots)
        and all(isinstance(root, str) for root in roots)
    )


def _write(path: Path, seen: dict[str, Json]) -> None:
    # A read-only home must not keep anyone from verifying; then nothing is remembered.
    with contextlib.suppress(OSError):
        write_whole(path, encode(seen))
