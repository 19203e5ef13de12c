"""Everything that a person reads in Slicer can be translated: it is a literal inside ``_()``, and none escapes."""

from __future__ import annotations

import ast
import os
import re
import shutil
import string
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import parts
import pytest
from sentences import LIBRARY, MODULE, calls, context, marked, parse

#: Read by the module's developers: what its own test says.
SELF_TEST = MODULE / "CMROrientPanel" / "self_test.py"

#: Files whose words a person reads in Slicer, wherever in them these stand.
READ = sorted(
    {*MODULE.rglob("*.py"), *(LIBRARY / "mrml").glob("*.py"), LIBRARY / "recognition" / "wording.py"} - {SELF_TEST}
)

#: Files whose errors the panel shows.
ERRORS = sorted([*READ, *LIBRARY.glob("*.py"), *(LIBRARY / "recognition").glob("*.py")])

#: Two words, or one that stands beside what is filled in: no name of a class, a signal or an attribute looks so.
WORDS = re.compile(r"[^\W\d_]{2,}\S* |\s\S*[^\W\d_]{2,}")

#: Literals that look like words and are none: names of nodes and columns, by which scripts find them in any language,
#: names that MRML gives, and what the self test says to developers.
NO_SENTENCE = re.compile(
    r"""  (standard|votes)
        | P[0-7]\s.*
        | (Binary|Fractional)\ labelmap
        | Q\w+\ \{.*                              # a style
        | CMROrient\ contributors
        | CMROrient:\ passed""",
    re.VERBOSE,
)


def files(paths: list[Path]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("path", paths, ids=lambda path: path.relative_to(parts.REPOSITORY).as_posix())


def docstrings(tree: ast.AST) -> set[ast.AST]:
    """Texts that stand alone: documentation."""
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}


def bare_texts(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """(line, text) of every literal outside ``_()``, annotations and documentation."""
    skipped = docstrings(tree)
    for node in ast.walk(tree):
        skipped |= {argument for call in calls(node) for argument in call.args}
        for annotation in ("annotation", "returns"):
            if isinstance(getattr(node, annotation, None), ast.AST):
                skipped.add(getattr(node, annotation))
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if node in skipped:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value
        waiting += ast.iter_child_nodes(node)


@files(sorted(marked()))
def test_each_call_gets_one_literal(path: Path) -> None:
    for call in calls(parse(path)):
        assert len(call.args) == 1 and not call.keywords
        text = call.args[0]
        assert isinstance(text, ast.Constant) and isinstance(text.value, str) and text.value.strip(), ast.unparse(call)
        # Named, so that a translator sees what goes in and can put it elsewhere.
        fields = [
            name for _literal, name, _spec, _conversion in string.Formatter().parse(text.value) if name is not None
        ]
        assert all(name.isidentifier() for name in fields), text.value


@files(sorted(marked()))
def test_the_function_is_the_one_that_translates(path: Path) -> None:
    tree = parse(path)
    imported = [
        (node.module, alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if "_" in (alias.asname, alias.name)
    ]
    assert imported == ([("i18n", "_")] if path.is_relative_to(LIBRARY) else [("slicer.i18n", "tr")])
    inside = {node for one in ast.walk(tree) if isinstance(one, ast.comprehension) for node in ast.walk(one.target)}
    stored = {node for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    assert not [node.lineno for node in stored - inside if node.id == "_"], "_ is taken for something to throw away"


@files(READ)
def test_nothing_that_people_read_stands_outside(path: Path) -> None:
    found = []
    for line, text in bare_texts(parse(path)):
        said = re.sub(r"<[^<>]*>|\{[^{}]*\}", "", text)  # HTML and what is filled in
        if WORDS.search(said) and not NO_SENTENCE.fullmatch(text.strip()):
            found.append(f"{line}: {text}")
    assert found == []


@files(ERRORS)
def test_errors_that_the_panel_shows_have_no_bare_words(path: Path) -> None:
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("CMROrientError", "UsageError"):
            assert [text for _line, text in bare_texts(node.args[0]) if re.search(r"[^\W\d_]{2,}", text)] == []


#: What a widget shows: attributes that take a text, and methods whose arguments are texts.
SHOWN_BY_ATTRIBUTE = {"text", "toolTip", "format", "title", "helpText", "acknowledgementText"}
SHOWN_BY_CALL = re.compile(
    r"\.(addItem|setItemText|setToolTip|setText|QTableWidgetItem|setHorizontalHeaderLabels|SetDescription|SetColumnTitle)$"
    r"|\.(confirm|error|info|warning)\w*Display$"
)


@files(sorted(MODULE.rglob("*.py")))
def test_widgets_show_no_bare_words(path: Path) -> None:
    shown: list[ast.AST] = []
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Assign):
            targets = [target for target in node.targets if isinstance(target, ast.Attribute)]
            shown += [node.value for target in targets if target.attr in SHOWN_BY_ATTRIBUTE]
        elif isinstance(node, ast.Call) and SHOWN_BY_CALL.search(ast.unparse(node.func)):
            shown += node.args
    bare = [text for node in shown for _line, text in bare_texts(node) if re.search(r"[^\W\d_]{2,}", text)]
    assert set(bare) <= {"CMROrient"}


def extracted(folder: Path) -> Counter[tuple[str, str]]:
    """(context, text) of what Slicer's own script finds in the module and the library, and how often."""
    base = os.environ.get("SLICER_BASE_PYTHON")
    script = Path(base).resolve().parents[1] / "Utilities" / "Scripts" / "update_translations.py" if base else None
    if script is None or not script.is_file():
        pytest.skip("needs Slicer's sources (SLICER_BASE_PYTHON: their folder Base/Python)")
    qt = Path(parts.need_module("PySide6").__file__).parent
    lupdate = shutil.which("lupdate", path=os.pathsep.join((str(qt), os.environ.get("PATH", ""))))
    if lupdate is None:
        parts.missing("needs Qt's program lupdate")
    for source in (MODULE, LIBRARY):
        shutil.copytree(source, folder / "source" / source.name, ignore=shutil.ignore_patterns("models", "__pycache__"))
    translations = folder / "translations"
    translations.mkdir()
    options = {"-c": "CMROrient", "-l": "en-US", "--lupdate": lupdate, "-s": folder / "source", "-t": translations}
    command = [sys.executable, script, *(part for option in options.items() for part in option)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (written,) = translations.glob("*.ts")
    found: Counter[tuple[str, str]] = Counter()
    for one in ElementTree.parse(written).iter("context"):
        for message in one.iter("message"):
            found[str(one.findtext("name")), str(message.findtext("source"))] = len(message.findall("location"))
    return found


def test_slicers_own_script_finds_every_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = extracted(tmp_path)
    expected = Counter((context(path), text) for path, texts in marked().items() for text in texts)
    of_the_ui = {one for one in found if one[0] == "CMROrient" and one not in expected}
    ours = {one: count for one, count in found.items() if one[0] != "qSlicerAbstractCoreModule"}
    with capsys.disabled():
        print(f"\n{sum(expected.values())} sentences in the source, {len(expected)} different; ", end="")
        print(f"Slicer's script finds {len(found)}, {len(of_the_ui)} of them in the .ui file")
    assert set(expected) <= set(ours)
    assert set(ours) - set(expected) == of_the_ui
    assert len(of_the_ui) > 20
