"""Every error says what to do next: read from the source, room by room.

What a sentence means no test can tell. This one finds sentences that only say what is wrong: with neither a request
("copy or export it anew"), nor a list of what there is ("is one of"), to which whoever reads it can hold.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
from parts import REPOSITORY

LIBRARY = REPOSITORY / "CMROrientLib"
ROOMS = ("adapters", "audit", "cli", "io", "recognition", "restore", "run", "transforms")
ERRORS = ("CMROrientError", "UsageError")

REQUESTS = (
    *("add", "check", "choose", "close", "convert", "copy", "correct", "decide", "draw", "export", "fill", "give"),
    *("go", "install", "join", "keep", "leave", "make", "mend", "move", "name", "press", "put", "reinstall", "remove"),
    *("rename", "restore", "run", "save", "sort", "start", "take", "try", "use", "write", "pip"),
)
#: At the beginning of a clause: "; copy it anew", "or export it", but not "it names no file".
_REQUEST = re.compile(rf"(?:^|[;:,.)}}] |\b(?:or|and|then|perhaps|it) )(?:{'|'.join(REQUESTS)})\b", re.IGNORECASE)
_CHOICE = re.compile(r"(?:is|are) (?:one of|0, 1 or 2|1 or more|a (?:number|class)\b)|(?:devices|numbers .*) are\b")

#: Sentences that say all there is to say, with what follows from them in plain sight.
PLAIN = ("no such file or folder", "there is no such file or folder", "no such file")


def files() -> list[Path]:
    return [path for room in ROOMS for path in sorted((LIBRARY / room).rglob("*.py"))]


def literals(node: ast.AST) -> Iterator[str]:
    """The texts in an expression, those of one string in one piece."""
    if isinstance(node, ast.JoinedStr):
        yield "".join(v.value if isinstance(v, ast.Constant) else "{}" for v in node.values)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    else:
        for child in ast.iter_child_nodes(node):
            yield from literals(child)


def messages(path: Path) -> Iterator[tuple[int, str]]:
    """Line and text of each error that a file makes; what it only hands on is another file's."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for scope in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
        said: dict[str, list[str]] = defaultdict(list)
        for node in ast.walk(scope):
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                said[node.targets[0].id] += literals(node.value)
            elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(".append"):
                said[ast.unparse(node.func).removesuffix(".append")] += literals(node)
        for node in ast.walk(scope):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ERRORS and node.args:
                names = [n.id for n in ast.walk(node.args[0]) if isinstance(n, ast.Name)]
                parts = [*literals(node.args[0]), *(text for name in names for text in said.get(name, ()))]
                text = " ".join(parts)
                if len(re.findall(r"\w+", text)) > 1:
                    yield node.lineno, text


@pytest.mark.parametrize("path", files(), ids=lambda path: path.relative_to(LIBRARY).as_posix())
def test_each_error_says_what_to_do(path: Path) -> None:
    silent = [
        f"line {line}: {text}"
        for line, text in messages(path)
        if text not in PLAIN and not _REQUEST.search(text) and not _CHOICE.search(text)
    ]
    assert silent == []


def test_what_is_wrong_alone_is_found() -> None:
    for text in ("is damaged: it names no file for its voxels", "holds no pixel data", "the report cannot be written"):
        assert not _REQUEST.search(text) and not _CHOICE.search(text)
    found = [text for path in files() for _line, text in messages(path)]
    assert len(found) > 150, "the errors are found at all"
