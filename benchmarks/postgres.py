"""A PostgreSQL server of a benchmark's own: the one that the tests start."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks.samples import REPO


@contextmanager
def postgres() -> Iterator[Any]:
    """A started server: it has a `url`, and can be killed and started again."""
    path = REPO / "tests" / "postgres_server.py"
    spec = importlib.util.spec_from_file_location("postgres_server", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with module.serving() as server:
        yield server
