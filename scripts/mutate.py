"""Mutation testing of the verification core: does a test fail when the code is changed?

mutmut's operators change one node of a module's syntax at a time; its own runner leaves out
whatever has a decorator, so properties and class methods, and starts an interpreter a mutant.
Here a process that has collected the tests forks one child a mutant. There the changed function's
code takes the place of the one loaded, and the tests run until the first that fails, which goes
first the next time. What that cannot try (constants, defaults, fields), and whatever survives it,
is tried again by a child that imports our packages anew, the one module changed: only what passes
there has survived. Survivors that `docs/mutation.md` explains, by the line that tells them, are
not counted.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.abc
import importlib.util
import os
import re
import resource
import select
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import hypothesis
import libcst as cst
import pytest
from libcst.metadata import MetadataWrapper, PositionProvider
from mutmut.mutation.mutators import mutation_operators

REPO = Path(__file__).resolve().parent.parent
EXPLAINED = REPO / "docs" / "mutation.md"
OURS = ("keys", "ledger", "credentials", "verifier", "bank", "tests")

TABLE = ("tests/unit/test_report_table.py",)
REPORT = (
    "tests/unit/test_issuer_check.py",
    "tests/unit/test_ledger_check.py",
    "tests/unit/test_status_check.py",
    "tests/unit/test_whole_report.py",
)
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
    function: tuple[str, ...]
    """The names that lead to the function whose body it is in; empty outside of any."""

    def __str__(self) -> str:
        return f"{self.module}:{self.line}: {self.before} -> {self.after}"


_LEFT_ALONE = (cst.Annotation, cst.Decorator, cst.Import, cst.ImportFrom, cst.Assert)
_Site = tuple[int, tuple[str, ...], cst.CSTNode, cst.CSTNode]
_Trial = Callable[[], int]
_NOT_TRIED = 71
"""The exit code of a child that could not put a change in place."""
_MEMORY = 4 * 1024**3


class _Sites(cst.CSTVisitor):
    """The nodes to change, and what each may become."""

    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(self) -> None:
        self.found: list[_Site] = []
        self._bodies: list[cst.FunctionDef | cst.ClassDef] = []

    def on_visit_attribute(self, node: cst.CSTNode, attribute: str) -> None:
        if isinstance(node, cst.FunctionDef | cst.ClassDef) and attribute == "body":
            self._bodies.append(node)

    def on_leave_attribute(self, original_node: cst.CSTNode, attribute: str) -> None:
        if isinstance(original_node, cst.FunctionDef | cst.ClassDef) and attribute == "body":
            self._bodies.pop()

    def _function(self) -> tuple[str, ...]:
        for depth, node in enumerate(self._bodies, 1):
            if isinstance(node, cst.FunctionDef):
                return tuple(one.name.value for one in self._bodies[:depth])
        return ()

    def on_visit(self, node: cst.CSTNode) -> bool:
        if isinstance(node, _LEFT_ALONE):
            return False
        if isinstance(node, cst.If) and _is_for_types(node):
            return False
        if isinstance(node, cst.Raise):
            return False  # that it is raised is tried by the condition; its words are not logic
        if isinstance(node, cst.SimpleStatementLine) and _is_alias_or_text(node):
            return False
        line = self.get_metadata(PositionProvider, node).start.line
        inside = self._function()
        self.found.extend((line, inside, node, changed) for changed in _changes(node))
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


def mutants(module: str, part: int = 1, parts: int = 1) -> list[Mutant]:
    """Every change of a module, or of a part of it, that still compiles."""
    source = (REPO / (module.replace(".", "/") + ".py")).read_text("utf-8")
    wrapper = MetadataWrapper(cst.parse_module(source))
    sites = _Sites()
    wrapper.visit(sites)
    made, seen, count = [], {source}, len(sites.found)
    # To write a change takes longer than to try most.
    for line, function, node, changed in sites.found[
        count * (part - 1) // parts : count * part // parts
    ]:
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
        made.append(Mutant(module, line, before, after, tree.code, function))
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


def _put_in_place(mutant: Mutant) -> bool:
    """Give the loaded function the changed code; False where there is none to be given it."""
    code: CodeType | None = compile(mutant.source, mutant.module, "exec")
    owner: Any = sys.modules.get(mutant.module)
    for name in mutant.function:
        inner = () if code is None else code.co_consts
        code = next((one for one in inner if _is_code_of(one, name)), None)
    for name in mutant.function[:-1]:
        owner = getattr(owner, name, None)
    found: Any = vars(owner).get(mutant.function[-1]) if mutant.function and owner else None
    if isinstance(found, property):
        found = found.fget
    elif isinstance(found, classmethod | staticmethod):
        found = found.__func__
    elif hasattr(found, "cache_clear"):
        found.cache_clear()
        found = found.__wrapped__
    if code is None or not isinstance(found, FunctionType):
        return False
    if code.co_freevars != found.__code__.co_freevars:
        return False
    found.__code__ = code
    return True


def _is_code_of(value: object, name: str) -> bool:
    return isinstance(value, CodeType) and value.co_name == name


def _run_tests(tests: tuple[str, ...], plugins: Sequence[object] = ()) -> int:
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    # That a test fails is enough: no smaller example, nothing kept for the next run.
    phases = [hypothesis.Phase.explicit, hypothesis.Phase.generate]
    hypothesis.settings.register_profile("mutate", database=None, deadline=None, phases=phases)
    hypothesis.settings.load_profile("mutate")
    options = ["-x", "-q", "-n0", "-p", "no:cacheprovider", "--hypothesis-seed=0", "--tb=no"]
    return int(pytest.main([*options, *tests], plugins=[*plugins]))


def _limited(seconds: float) -> None:
    """Let this process have so many seconds more of a processor, and memory within reason."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    limit = int(used.ru_utime + used.ru_stime + seconds) + 1
    most = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (limit, most))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _forked(trial: _Trial, seconds: float) -> tuple[int, float]:
    """The exit code of a trial in a child, and its seconds of a processor.

    Negative where it was ended, having used up `seconds`, or ten times as many of the clock.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    pid = os.fork()
    if pid == 0:
        code = 70
        try:
            os.setsid()
            _limited(seconds)
            code = trial()
        finally:
            os._exit(code)
    watch = os.pidfd_open(pid)
    try:
        if not select.select([watch], [], [], 10 * seconds)[0]:
            os.killpg(pid, signal.SIGKILL)
    finally:
        os.close(watch)
    status = os.waitpid(pid, 0)[1]
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return os.waitstatus_to_exitcode(status), used


def _tried_anew(mutant: Mutant | None, tests: tuple[str, ...]) -> int:
    """Import everything of ours, the one module changed, and run the tests."""
    if mutant is not None:
        sys.meta_path.insert(0, _Changed(mutant.module, mutant.source))
    return _run_tests(tests)


class _Trials:
    """A plugin of pytest that, with the tests collected, tries one change after the other."""

    def __init__(self, made: Sequence[Mutant], answer: int) -> None:
        self._made, self._answer = made, answer
        self._seconds: dict[pytest.Item, float] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        read, write = os.pipe()
        items = list(session.items)
        code, seconds = _forked(lambda: self._untouched(items, write), 600)
        self._tell(code)
        os.close(write)
        with os.fdopen(read) as told:
            self._seconds = dict(zip(items, map(float, told), strict=False))
        # The quickest first; then whichever noticed something last.
        items = sorted(self._seconds, key=self._seconds.__getitem__)
        for mutant in self._made if code == 0 else ():
            code, place = self._tried(mutant, items, 3 + 4 * seconds)
            if place is not None:
                items.insert(0, items.pop(place))
            self._tell(code)
        return True

    def _tell(self, code: int) -> None:
        os.write(self._answer, b"%d\n" % code)

    def _untouched(self, items: list[pytest.Item], write: int) -> int:
        for place in range(len(items)):
            begun = time.monotonic()
            if not self._passes(items, place):
                return 1
            os.write(write, b"%f\n" % (time.monotonic() - begun))
        return 0

    def _tried(
        self, mutant: Mutant, items: list[pytest.Item], seconds: float
    ) -> tuple[int, int | None]:
        """The exit code, and the place of the test that noticed."""
        read, write = os.pipe()

        def trial() -> int:
            if not _put_in_place(mutant):
                return _NOT_TRIED
            for place, item in enumerate(items):
                # A loop without an end is seen soon.
                _limited(1 + 5 * self._seconds[item])
                if not self._passes(items, place):
                    os.write(write, b"%d" % place)
                    return 1
            return 0

        code, _ = _forked(trial, seconds)
        os.close(write)
        with os.fdopen(read) as told:
            place = told.read()
        return code, int(place) if place else None

    def _passes(self, items: list[pytest.Item], place: int) -> bool:
        item = items[place]
        following = items[place + 1] if place + 1 < len(items) else None
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        return item.session.testsfailed == 0


def _tried_at_once(made: Sequence[Mutant], tests: tuple[str, ...]) -> list[int]:
    """The exit codes of the tests unchanged and, if they passed, with each change in its place."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(read)
        try:
            _run_tests(tests, [_Trials(made, write)])
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read) as told:
        codes = [int(line) for line in told]
    os.waitpid(pid, 0)
    return codes or [1]


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
    parser.add_argument("--part", default="1/1", help="such as 2/3: the second third of each")
    asked = parser.parse_args()
    sys.path.insert(0, str(REPO))
    os.chdir(REPO)
    os.environ.setdefault("PYTHONDONTWRITEBYTECODE", "1")
    part, parts = (int(number) for number in asked.part.split("/"))
    all_made = all_killed = all_explained = 0
    for module, tests in CORE.items():
        if asked.module and not any(
            module == name or module.startswith(f"{name}.") for name in asked.module
        ):
            continue
        made = [one for one in mutants(module, part, parts) if asked.only_line in (0, one.line)]
        if asked.list:
            print(*made, sep="\n")
            continue
        begun = time.monotonic()
        survivors = _survivors(made, tests)
        if survivors is None:
            print(f"{module}: its tests do not pass unchanged.")
            return 2
        known = [one for one in survivors if _told(one) in _explained()]
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


def _survivors(made: Sequence[Mutant], tests: tuple[str, ...]) -> list[Mutant] | None:
    """The changes that no test notices; None where the tests fail without any."""
    _load_libraries(tests)
    code, seconds = _forked(lambda: _tried_anew(None, tests), 600)
    unchanged, *codes = _tried_at_once(made, tests)
    if code or unchanged:
        return None
    survivors = []
    for mutant, code in zip(made, codes, strict=True):
        if code not in (0, 70, _NOT_TRIED):
            continue
        code, _ = _forked(lambda one=mutant: _tried_anew(one, tests), 3 + 4 * seconds)  # type: ignore[misc]
        if code == 0:
            survivors.append(mutant)
            print(f"survived: {mutant}", flush=True)
        elif code in (4, 5, 70):
            print(f"pytest's exit code {code}: {mutant}", flush=True)
    return survivors


if __name__ == "__main__":
    sys.exit(main())
