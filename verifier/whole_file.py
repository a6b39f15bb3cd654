"""A file that is written whole or not at all."""

import os
from pathlib import Path


def write_whole(path: Path, data: bytes, mode: int = 0o666) -> Path:
    """Write `data` to `path`, whose folders are made; until it is whole, what was there stays.

    `mode` is what a file may be opened for, before the umask. OSError names `path`.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir() or _is_passage(path):
            # What leads elsewhere is written into: were a file put in the place of /dev/null or
            # /dev/stdout, every program of the machine would lose it.
            path.write_bytes(data)
        else:
            _put(path, data, mode)
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), str(path)) from error
    return path


def _is_passage(path: Path) -> bool:
    """Whether it is a link, a device or a pipe."""
    return path.is_symlink() or (path.exists() and not path.is_file())


def _put(path: Path, data: bytes, mode: int) -> None:
    # Two programs at once have a name each, and the last one's file is whole too.
    partial = path.with_name(f".creditbank-{os.getpid()}.partial")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
