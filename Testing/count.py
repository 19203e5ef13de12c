"""Figures of one or several checkouts side by side: ``python Testing/count.py [OLD] [NEW] …``.

    python Testing/count.py . [--wheel]

Counts what grows unseen: what a run of ``correct`` imports, how often a signature says ``Any``,
where an option of a run is listed, lines, longest files, and lines that stand twice. ``--wheel``
also builds each wheel (from a copy) and lists what is in it. Duplicates are counted by ``symilar``,
which comes with pylint; without it that line is left out. Works on a checkout of version 1.0, too.
"""

from __future__ import annotations

import argparse
import ast
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

LIBRARY = "CMROrientLib"

#: Options of a run whose names are used for nothing else.
OPTIONS = ("skip_conflicts", "min_confidence", "dry_run", "overwrite")

#: So many equal lines are no accident.
EQUAL_LINES = 6

_CORRECT = f"""
import runpy, sys
sys.argv = ["cmrorient", "correct", sys.argv[1], "-o", sys.argv[2]]
try:
    runpy.run_module("{LIBRARY}", run_name="__main__")
except SystemExit as ended:
    status = ended.code
print(*sorted(name for name in sys.modules if name.partition(".")[0] == "{LIBRARY}"))
sys.exit(status)
"""

_PHANTOM = """
import sys, CMROrientLib
for home in ("CMROrientLib.phantom.phantom", "CMROrientLib.phantom"):
    try:
        make_phantom = __import__(home, fromlist=["make_phantom"]).make_phantom
        break
    except (ImportError, AttributeError):
        continue
CMROrientLib.write(make_phantom(), sys.argv[1])
"""


def main() -> int:
    """Count and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkouts", nargs="*", type=Path, default=[Path(__file__).parents[1]])
    parser.add_argument("--wheel", action="store_true", help="build the wheels and list them")
    arguments = parser.parse_args()
    checkouts = [path.resolve() for path in arguments.checkouts]
    columns = [count(checkout) for checkout in checkouts]
    width = max(len(name) for name in columns[0])
    for name in columns[0]:
        print(name.ljust(width), *(column[name].rjust(24) for column in columns))
    if arguments.wheel:
        for checkout in checkouts:
            print("", *list_wheel(checkout), sep="\n")
    return 0


def count(checkout: Path) -> dict[str, str]:
    """All figures of one checkout, by their names."""
    library = modules(checkout / LIBRARY)
    product = {**library, **modules(checkout / "CMROrient")}
    lengths = Counter({path: text.count("\n") for path, text in product.items()})
    folders = Counter(path.parent for path in product)
    parsed = {path: ast.parse(text) for path, text in library.items()}
    signatures = [annotation for tree in parsed.values() for annotation in in_signatures(tree)]
    loaded = imported_by_correct(checkout)
    (longest, most), (fullest, files) = lengths.most_common(1)[0], folders.most_common(1)[0]
    figures = {
        "checkout": checkout.name,
        f"modules of {LIBRARY}": str(len(library)),
        f"lines of {LIBRARY}, in the wheel": str(sum(lengths[path] for path in library)),
        "longest file of the product": f"{longest.name} {most}",
        "most Python files in a folder": f"{fullest.name} {files}",
        "modules that 'correct' imports": "failed" if loaded is None else str(len(loaded)),
        "lines that 'correct' imports": "failed" if loaded is None else str(_lines(checkout, loaded)),
        "annotations of arguments and results": str(len(signatures)),
        "… with Any": str(sum(map(says_any, signatures))),
        "annotated fields and variables with Any": str(
            sum(
                isinstance(node, ast.AnnAssign) and says_any(node.annotation)
                for tree in parsed.values()
                for node in ast.walk(tree)
            )
        ),
        "getattr with a default": str(
            sum(
                isinstance(node, ast.Call) and ast.unparse(node.func) == "getattr" and len(node.args) == 3
                for tree in parsed.values()
                for node in ast.walk(tree)
            )
        ),
    }
    for option in OPTIONS:
        listed = Counter({path: len(list(listings(tree, option))) for path, tree in parsed.items()})
        figures[f"places that list {option}"] = f"{listed.total()} in {sum(n > 0 for n in listed.values())} files"
    figures[f"lines in runs of {EQUAL_LINES} or more equal ones"] = duplicates(checkout, list(product))
    return figures


def modules(folder: Path) -> dict[Path, str]:
    """The Python files below a folder with their text."""
    return {path: path.read_text(encoding="utf-8") for path in sorted(folder.rglob("*.py"))}


def in_signatures(tree: ast.AST) -> Iterator[ast.expr]:
    """The annotations of arguments and results."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            given = node.args
            arguments = [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]
            yield from (entry.annotation for entry in arguments if entry is not None and entry.annotation is not None)
            if node.returns is not None:
                yield node.returns


def says_any(annotation: ast.expr) -> bool:
    """Whether ``Any`` is somewhere in an annotation."""
    return any(isinstance(node, ast.Name) and node.id == "Any" for node in ast.walk(annotation))


def listings(tree: ast.AST, option: str) -> Iterator[ast.AST]:
    """Where an option is named to be handed on: parameters, keywords, fields, keys and flags; not where it is used."""
    flag = f"--{option.replace('_', '-')}"
    for node in ast.walk(tree):
        if (
            (isinstance(node, ast.arg | ast.keyword) and node.arg == option)
            or (isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == option)
            or (isinstance(node, ast.Constant) and node.value in (option, flag))
        ):
            yield node


def imported_by_correct(checkout: Path) -> list[str] | None:
    """The library's modules that are loaded when ``correct`` has corrected one file; None where it failed."""
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    with tempfile.TemporaryDirectory() as folder:
        image = Path(folder) / "in" / "case.nii.gz"
        image.parent.mkdir()

        def run(code: str, *words: str) -> str | None:
            done = subprocess.run(
                [sys.executable, "-c", code, *words], cwd=folder, env=environment, capture_output=True, encoding="utf-8"
            )
            if done.returncode:
                print(done.stderr, file=sys.stderr)
            return None if done.returncode else done.stdout

        if run(_PHANTOM, str(image)) is None:
            return None
        told = run(_CORRECT, str(image.parent), str(Path(folder) / "out"))
    return None if told is None else told.splitlines()[-1].split()


def _lines(checkout: Path, names: Sequence[str]) -> int:
    places = (checkout.joinpath(*name.split(".")) for name in names)
    files = (place / "__init__.py" if place.is_dir() else place.with_suffix(".py") for place in places)
    return sum(path.read_text(encoding="utf-8").count("\n") for path in files)


def duplicates(checkout: Path, files: Sequence[Path]) -> str:
    """Lines of code that stand in two files, imports, comments and docstrings left out."""
    if importlib.util.find_spec("pylint") is None:
        return "needs pylint"
    code = "import sys, pylint; pylint.run_symilar(sys.argv[1:])"
    given = ["-d", str(EQUAL_LINES), "-i", "--ignore-imports", "--ignore-docstrings", *map(str, files)]
    done = subprocess.run([sys.executable, "-c", code, *given], cwd=checkout, capture_output=True, encoding="utf-8")
    found = re.search(r"duplicates=(\d+)", done.stdout)
    return "failed" if found is None else found[1]


def list_wheel(checkout: Path) -> Iterator[str]:
    """The files of a checkout's wheel with their sizes and, for text, lines, and the sums by folder."""
    with tempfile.TemporaryDirectory() as folder:
        # From a copy: what an earlier build left behind would be packed again.
        source = Path(folder) / "source"
        listed = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
            cwd=checkout,
            capture_output=True,
            encoding="utf-8",
            check=True,
        )
        for name in filter(None, listed.stdout.split("\0")):
            if (checkout / name).is_file():
                (source / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(checkout / name, source / name)
        build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, str(source)]
        subprocess.run(build, check=True)
        (wheel,) = Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            entries = {entry.filename: archive.read(entry) for entry in archive.infolist()}
        size = wheel.stat().st_size
    sizes, lines, files = Counter[str](), Counter[str](), Counter[str]()
    yield f"{checkout.name}: {wheel.name}"
    for name, content in sorted(entries.items()):
        written = content.count(b"\n") if name.endswith((".py", ".css", ".js", ".html", ".jinja", ".toml")) else 0
        room = "/".join(name.split("/")[:2]) if name.count("/") > 1 else name.split("/")[0]
        sizes[room] += len(content)
        files[room] += 1
        lines[room] += written
        yield f"  {len(content):>9} {written or '':>6}  {name}"
    yield "  by folder: bytes, files, lines"
    for room, total in sorted(sizes.items()):
        yield f"  {total:>9} {files[room]:>4} {lines[room]:>6}  {room}"
    yield f"  {sizes.total():>9} {files.total():>4} {lines.total():>6}  in all; {size} packed"


if __name__ == "__main__":
    sys.exit(main())
