"""Mutation testing of the verification core: does a test fail when the code is changed?

mutmut's operators change one node of a module's syntax at a time; its own runner leaves out
whatever has a decorator, so properties and class methods, and starts an interpreter a mutant.
Here a process with the libraries loaded forks one child a mutant, which imports our packages with
the one module changed and runs the tests named for it. Survivors that `docs/mutation.md` explains,
by the line that tells them, are not counted.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.abc
import importlib.util
import os
import re
import select
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import Any

import libcst as cst
import pytest
from libcst.metadata import MetadataWrapper, PositionProvider
from mutmut.mutation.mutators import mutation_operators

REPO = Path(__file__).resolve().parent.parent
EXPLAINED = REPO / "docs" / "mutation.md"
OURS = ("keys", "ledger", "credentials", "verifier", "bank", "tests")

TABLE = ("tests/unit/test_report_table.py",)
REPORT = ("tests/unit/test_verification.py", "tests/unit/test_verifier_report.py")
PROOFS = (
    "tests/unit/test_proof_terms.py",
    "tests/vectors/test_di_eddsa.py",
    "tests/vectors/test_di_ecdsa.py",
    "tests/vectors/test_ed25519_signature_2020.py",
)
TREE = ("tests/vectors/test_rfc6962.py", "tests/vectors/test_merkle_proofs.py")
NOTE = (
    "tests/unit/test_note.py",
    "tests/vectors/test_signed_note.py",
    "tests/vectors/test_c2sp.py",
)
CORE = {
    "keys.ed25519": (
        "tests/unit/test_ed25519.py",
        "tests/unit/test_did.py",
        "tests/vectors/test_rfc8032.py",
        "tests/vectors/test_wycheproof.py",
    ),
    "keys.canonical": (
        "tests/unit/test_canonical_limits.py",
        "tests/vectors/test_jcs.py",
        "tests/property/test_canonical.py",
    ),
    "ledger.checkpoint": ("tests/unit/test_checkpoint.py", *NOTE),
    "ledger.note": NOTE,
    "ledger.cosignature": NOTE,
    "ledger.receipt": ("tests/unit/test_receipt.py",),
    "ledger.tree": (*TREE, "tests/property/test_tree.py"),
    "ledger.subtree": ("tests/vectors/test_subtree_vectors.py", "tests/property/test_subtree.py"),
    "credentials.proofs": PROOFS,
    "verifier.table": TABLE,
    "verifier.report": TABLE,
    "verifier.status": REPORT,
    "verifier.authority": REPORT,
    "verifier.inclusion": REPORT,
    "verifier.verification": REPORT,
}
"""Each module of the core, and the tests that must notice a change in it, the quickest first."""


@dataclass(frozen=True)
class Mutant:
    """One change of a module: where, what, and the whole source so changed."""

    module: str
    line: int
    before: str
    after: str
    source: str

    def __str__(self) -> str:
        return f"{self.module}:{self.line}: {self.before} -> {self.after}"


_LEFT_ALONE = (cst.Annotation, cst.Decorator, cst.Import, cst.ImportFrom, cst.Assert)


class _Sites(cst.CSTVisitor):
    """The nodes to change, and what each may become."""

    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(self) -> None:
        self.found: list[tuple[int, cst.CSTNode, cst.CSTNode]] = []
        self._quiet = 0

    def on_visit(self, node: cst.CSTNode) -> bool:
        if isinstance(
            node, cst.Annotation | cst.Decorator | cst.Import | cst.ImportFrom | cst.Assert
        ):
            return False
        if isinstance(node, cst.If) and _is_for_types(node):
            return False
        if isinstance(node, cst.Raise):
            return False  # that it is raised is tried by the condition; its words are not logic
        if isinstance(node, cst.SimpleStatementLine) and _is_alias_or_text(node):
            return False
        line = self.get_metadata(PositionProvider, node).start.line
        self.found.extend((line, node, changed) for changed in _changes(node))
        return True


def _is_for_types(node: cst.If) -> bool:
    return isinstance(node.test, cst.Name) and node.test.value == "TYPE_CHECKING"


def _is_alias_or_text(node: cst.SimpleStatementLine) -> bool:
    """A docstring, or a name for a type."""
    first = node.body[0]
    if isinstance(first, cst.Expr):
        return isinstance(first.value, cst.SimpleString)
    if isinstance(first, cst.AnnAssign):
        annotation = first.annotation.annotation
        return isinstance(annotation, cst.Name) and annotation.value == "TypeAlias"
    if isinstance(first, cst.Assign) and isinstance(first.value, cst.Subscript):
        base = first.value.value
        return isinstance(base, cst.Name) and base.value in ("Callable", "Literal")
    return False


def _changes(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    if isinstance(node, cst.If | cst.While) and not isinstance(node.test, cst.Name):
        # mutmut has no operator that takes a guard away.
        yield node.with_changes(test=cst.Name("False"))
    for kind, operator in mutation_operators:
        if isinstance(node, kind):
            # Text is changed once, not in small and in large letters too.
            yield from islice(operator(node), 1 if kind is cst.BaseString else None)


def mutants(module: str) -> list[Mutant]:
    """Every change of a module that still compiles."""
    source = (REPO / (module.replace(".", "/") + ".py")).read_text("utf-8")
    wrapper = MetadataWrapper(cst.parse_module(source))
    sites = _Sites()
    wrapper.visit(sites)
    made, seen = [], {source}
    for line, node, changed in sites.found:
        tree = wrapper.module.deep_replace(node, changed)
        assert isinstance(tree, cst.Module)
        if tree.code in seen:
            continue
        seen.add(tree.code)
        try:
            compile(tree.code, module, "exec")
        except SyntaxError:
            continue
        before, after = _differing(source, tree.code)
        made.append(Mutant(module, line, before, after, tree.code))
    return made


def _differing(before: str, after: str) -> tuple[str, str]:
    """The lines that differ, white space folded."""
    old, new = before.split("\n"), after.split("\n")
    start = 0
    while start < min(len(old), len(new)) and old[start] == new[start]:
        start += 1
    end = 0
    while end < min(len(old), len(new)) - start and old[-1 - end] == new[-1 - end]:
        end += 1
    parts = old[start : len(old) - end], new[start : len(new) - end]
    first, second = (re.sub(r"\s+", " ", " ".join(lines)).strip() for lines in parts)
    return first, second


class _Changed(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module from the changed source."""

    def __init__(self, module: str, source: str) -> None:
        self._module, self._source = module, source

    def find_spec(self, name: str, path: Any, target: ModuleType | None = None) -> Any:
        if name != self._module:
            return None
        file = REPO / (name.replace(".", "/") + ".py")
        return importlib.util.spec_from_file_location(name, file, loader=self)

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self._source, str(module.__file__), "exec"), module.__dict__)


def _run_tests(tests: tuple[str, ...]) -> int:
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    options = ["-x", "-q", "-n0", "-p", "no:cacheprovider", "--hypothesis-seed=0", "--tb=no"]
    return int(pytest.main([*options, *tests]))


def _in_child(mutant: Mutant | None, tests: tuple[str, ...], limit: float) -> tuple[int, float]:
    """The exit code of a forked run, -1 where it took too long; and its seconds."""
    begun = time.monotonic()
    pid = os.fork()
    if pid == 0:
        code = 70
        try:
            os.setsid()
            if mutant is not None:
                sys.meta_path.insert(0, _Changed(mutant.module, mutant.source))
            code = _run_tests(tests)
        finally:
            os._exit(code)
    watch = os.pidfd_open(pid)
    try:
        if not select.select([watch], [], [], limit)[0]:
            os.killpg(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            return -1, time.monotonic() - begun
    finally:
        os.close(watch)
    status = os.waitpid(pid, 0)[1]
    return os.waitstatus_to_exitcode(status), time.monotonic() - begun


def _load_libraries(tests: tuple[str, ...]) -> None:
    """Import in this process whatever the tests import that is not ours."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(read)
        _run_tests((*tests, "--collect-only"))
        names = [name for name in sys.modules if name.partition(".")[0] not in OURS]
        os.write(write, "\n".join(names).encode()[:60_000])
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as answer:
        names = answer.read().split("\n")
    os.waitpid(pid, 0)
    for name in sorted(names):
        if name.startswith(("_pytest", "pytest", "__", "conftest", "mutmut")) or not name:
            continue
        try:
            importlib.import_module(name)
        except Exception:
            continue


def _explained() -> set[str]:
    """The survivors that the page explains: the code spans that begin its list items."""
    if not EXPLAINED.exists():
        return set()
    return set(re.findall(r"^- `` (.+?) ``", EXPLAINED.read_text("utf-8"), re.MULTILINE))


def _told(mutant: Mutant) -> str:
    return f"{mutant.module}: {mutant.before} -> {mutant.after}"


def main() -> int:
    """Try each mutant; say which survived. The exit code is 1 below 95 % killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("module", nargs="*", help="such as ledger.tree, or ledger")
    parser.add_argument("--list", action="store_true", help="only list the changes")
    parser.add_argument("--only-line", type=int, default=0, help="only changes of this line")
    asked = parser.parse_args()
    sys.path.insert(0, str(REPO))
    os.chdir(REPO)
    os.environ.setdefault("PYTHONDONTWRITEBYTECODE", "1")
    explained = _explained()
    all_made = all_killed = all_explained = 0
    for module, tests in CORE.items():
        if asked.module and not any(
            module == name or module.startswith(f"{name}.") for name in asked.module
        ):
            continue
        made = [one for one in mutants(module) if asked.only_line in (0, one.line)]
        if asked.list:
            print(*made, sep="\n")
            continue
        _load_libraries(tests)
        code, seconds = _in_child(None, tests, 600)
        if code != 0:
            print(f"{module}: its tests do not pass unchanged (pytest's exit code {code}).")
            return 2
        survivors, begun = [], time.monotonic()
        for mutant in made:
            code, _ = _in_child(mutant, tests, 20 + 10 * seconds)
            if code == 0:
                survivors.append(mutant)
                print(f"survived: {mutant}", flush=True)
            elif code in (4, 5, 70):
                print(f"pytest's exit code {code}: {mutant}", flush=True)
        known = [one for one in survivors if _told(one) in explained]
        all_made, all_killed = all_made + len(made), all_killed + len(made) - len(survivors)
        all_explained += len(known)
        print(
            f"{module}: {len(made)} changes, {len(made) - len(survivors)} noticed, "
            f"{len(known)} explained, {len(survivors) - len(known)} not, "
            f"{time.monotonic() - begun:.0f} s",
            flush=True,
        )
    if asked.list:
        return 0
    share = all_killed / max(1, all_made)
    print(f"{all_killed} of {all_made} changes were noticed: {share:.1%}")
    return 0 if share >= 0.95 and all_killed + all_explained == all_made else 1


if __name__ == "__main__":
    sys.exit(main())
