"""The page's ES modules as one script, for a file that has no server to import them from.

Understands the few forms of import and export that `verifier/web` uses, and refuses any other.
Each module becomes a function that runs once; what is imported on demand runs on demand.
"""

import posixpath
import re
from collections.abc import Mapping

from verifier.errors import VerifierError

_ENTRY = "app.js"
_IMPORT = re.compile(r'^import (\{[^}]*\}|\* as \w+) from "([^"]+)";$', re.MULTILINE)
_EXPORT = re.compile(r"^export (async function|function\*?|class|const) (\w+)", re.MULTILINE)
_EXPORT_LIST = re.compile(r"\bexport\s*\{([^{}]*)\};?\s*$")
_DYNAMIC = re.compile(r'\bimport\("(\./[^"]+|\.\./[^"]+)"\)')
_LEFT = re.compile(r"^\s*(import|export)\b(?!\()", re.MULTILINE)


def joined(modules: Mapping[str, str]) -> str:
    """One module script that does what `app.js` does; `modules` are sources by their names."""
    order: list[str] = []
    _visit(_ENTRY, modules, order, ())
    numbers = {name: number for number, name in enumerate(order)}
    script = "\n".join(_wrapped(name, modules[name], numbers) for name in order)
    if re.search(r"</script|<!--", script, re.IGNORECASE):
        raise VerifierError("the page's script holds text that would end its element")
    return f"const modules = [];\n{script}\nawait modules[{numbers[_ENTRY]}]();\n"


def _visit(name: str, modules: Mapping[str, str], order: list[str], path: tuple[str, ...]) -> None:
    if name in path:
        raise VerifierError(f"the page's modules import each other in a circle at {name}")
    if name in order:
        return
    if name not in modules:
        raise VerifierError(f"the page has no module {name}, which {path[-1]} imports")
    source = modules[name]
    for target in (
        *(m[1] for m in _DYNAMIC.finditer(source)),
        *(m[2] for m in _IMPORT.finditer(source)),
    ):
        _visit(_resolved(name, target), modules, order, (*path, name))
    order.append(name)


def _wrapped(name: str, source: str, numbers: Mapping[str, int]) -> str:
    def number(target: str) -> int:
        return numbers[_resolved(name, target)]

    exports = {match[2]: match[2] for match in _EXPORT.finditer(source)}
    listed = _EXPORT_LIST.search(source)
    if listed is not None:
        for item in listed[1].split(","):
            local, _, public = item.strip().partition(" as ")
            exports[public or local] = local
        source = source[: listed.start()] + source[listed.end() :]
    source = _IMPORT.sub(lambda m: _import(m[1], number(m[2])), source)
    source = _EXPORT.sub(r"\1 \2", source)
    source = _DYNAMIC.sub(lambda m: f"modules[{number(m[1])}]()", source)
    if _LEFT.search(source) and not name.startswith("vendor/"):
        raise VerifierError(f"{name} imports or exports in a form that is not understood")
    given = ", ".join(
        f"get {_property(public)}() {{ return {local}; }}" for public, local in exports.items()
    )
    body = f"{source}\nreturn {{ {given} }};"
    start = f"modules[{numbers[name]}] = () => loaded{numbers[name]} ??= (async () => {{"
    return f"let loaded{numbers[name]};\n{start}\n{body}\n}})();"


def _import(clause: str, number: int) -> str:
    if clause.startswith("*"):
        return f"const {clause.removeprefix('* as ')} = await modules[{number}]();"
    return f"const {clause.replace(' as ', ': ')} = await modules[{number}]();"


def _property(public: str) -> str:
    """An export's name as a property."""
    return f'"{public}"'


def _resolved(name: str, target: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(name), target))
