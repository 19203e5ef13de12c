"""The sentences of a source tree, found as a translator's tools find them: by their calls, without running anything."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import parts

LIBRARY = parts.REPOSITORY / "CMROrientLib"
MODULE = parts.REPOSITORY / "CMROrient"


def calls(tree: ast.AST) -> Iterator[ast.Call]:
    """Every call of ``_``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "_":
            yield node


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def context(path: Path) -> str:
    """What Slicer calls the file that a sentence stands in."""
    package = path.parent.name + "." if (path.parent / "__init__.py").is_file() else ""
    return package + path.stem


def marked() -> dict[Path, list[str]]:
    """The sentences of each file that has any, in the order of the file."""
    found: dict[Path, list[str]] = {}
    for path in sorted([*LIBRARY.rglob("*.py"), *MODULE.rglob("*.py")]):
        texts = [str(ast.literal_eval(call.args[0])) for call in calls(parse(path))]
        if texts:
            found[path] = texts
    return found
