"""What is shipped: the shape of the tree, what an import costs, and a wheel that works on its own."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import parts
import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

LIBRARY = parts.REPOSITORY / "CMROrientLib"
MODEL_SUFFIXES = {".onnx", ".safetensors"}
IMAGE_SUFFIXES = (
    ".nii",
    ".nii.gz",
    ".nrrd",
    ".nhdr",
    ".mha",
    ".mhd",
    ".dcm",
    ".ima",
    ".npy",
    ".npz",
    ".h5",
    ".pt",
    ".pth",
)


def tree() -> list[Path]:
    """Every file of the project: tracked, or new and not ignored."""
    listed = subprocess.run(
        [parts.need_program("git"), "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=parts.REPOSITORY,
        capture_output=True,
        encoding="utf-8",
    )
    if listed.returncode:
        parts.missing("needs a git checkout")
    paths = (parts.REPOSITORY / name for name in sorted(set(listed.stdout.split("\0"))) if name)
    return [path for path in paths if path.is_file()]


def relative(path: Path) -> str:
    return path.relative_to(parts.REPOSITORY).as_posix()


def test_files_are_short():
    lengths = {relative(p): len(p.read_text(encoding="utf-8").splitlines()) for p in tree() if p.suffix == ".py"}
    assert len(lengths) > 20
    assert {name: lines for name, lines in lengths.items() if lines >= 450} == {}


def test_no_image_data_is_in_the_tree():
    assert [relative(p) for p in tree() if p.name.lower().endswith(IMAGE_SUFFIXES)] == []
    weights = [p for p in tree() if p.suffix in MODEL_SUFFIXES]
    assert [relative(p) for p in weights if p.parent != LIBRARY / "recognition" / "models"] == []
    big = [relative(p) for p in tree() if p.stat().st_size > 2_000_000 and p.suffix not in MODEL_SUFFIXES]
    assert big == []


def test_the_product_names_no_place_on_one_machine():
    place = re.compile(r"""(?<![\w.])/(?:work|home|root|Users|tmp)/""")
    product = [p for p in tree() if p.suffix in {".py", ".ui", ".md", ".toml", ".txt", ".js", ".html", ".jinja"}]
    found = {
        relative(p)
        for p in product
        if relative(p).split("/")[0] in ("CMROrient", "CMROrientLib", "README.md", "Documentation")
        and place.search(p.read_text(encoding="utf-8"))
    }
    assert found == set()


def test_importing_the_library_is_cheap():
    heavy = [
        "torch",
        "onnxruntime",
        "onnx",
        "monai",
        "slicer",
        "vtk",
        "qt",
        "ctk",
        "PySide6",
        "matplotlib",
        "dask",
        "skimage",
    ]
    code = f"import sys, CMROrientLib\nprint([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=parts.REPOSITORY, capture_output=True, encoding="utf-8")
    assert done.stdout.strip() == "[]", done.stderr


def test_every_public_name_is_there():
    import CMROrientLib

    for name in CMROrientLib.__all__:
        assert getattr(CMROrientLib, name) is not None


def test_the_library_holds_no_study():
    """What only studies use lies in Training/study, which neither the wheel nor the extension takes along."""
    project = tomllib.loads((parts.REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["tool"]["setuptools"]["packages"]["find"]["include"] == ["CMROrientLib*"]
    assert (parts.REPOSITORY / "Training" / "study" / "__init__.py").is_file()
    for path in LIBRARY.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text)):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            assert "study" not in {name.split(".")[0] for name in names}, path
        if path.is_relative_to(LIBRARY / "training"):
            assert "__main__" not in text, f"{relative(path)} hides a command"
    for word in ("leave_source_out", "ablation", "paper_table", "contact_sheet", "stress", "results", "cards"):
        assert not list(LIBRARY.rglob(f"*{word}*.py")), word


def test_every_imported_package_is_declared():
    project = tomllib.loads((parts.REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = project["dependencies"] + [d for extra in project["optional-dependencies"].values() for d in extra]
    known = {re.split(r"[\s<>=\[;]", requirement)[0].lower().replace("-", "_") for requirement in declared}
    known |= {"skimage", "sklearn", "pil", "gdcm", "openjpeg", "jpeg_ls", "pyside6"}  # sold under another name
    # Slicer brings its own; tomllib is tomli before Python 3.11.
    known |= {"slicer", "vtk", "tomllib", "cmrorientlib", "pytorchutils"}
    for path in LIBRARY.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            for name in {name.split(".")[0] for name in names} - set(sys.stdlib_module_names):
                assert name.lower() in known, f"{relative(path)} imports {name}"


_BANDIT = ["bandit", "--quiet", "--recursive", "--configfile", "pyproject.toml", "CMROrientLib", "CMROrient"]


@pytest.mark.parametrize(
    "command", [["ruff", "format", "--check", "."], ["ruff", "check", "."], ["mypy"], ["vulture"], _BANDIT]
)
def test_linters_pass(command):
    parts.need_module(command[0])
    done = subprocess.run([sys.executable, "-m", *command], cwd=parts.REPOSITORY, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_exception_of_vulture_is_needed():
    listed = (parts.REPOSITORY / "Testing" / "vulture_whitelist.py").read_text(encoding="utf-8")
    names = re.findall(r"^(?:_\.)?(\w+)$", listed, flags=re.MULTILINE)
    assert len(names) > 20
    product = [path for path in tree() if path.suffix == ".py" and relative(path).split("/")[0] != "Testing"]
    words = {word for path in product for word in re.findall(r"\w+", path.read_text(encoding="utf-8"))}
    assert [name for name in names if name not in words] == []


def test_imports_keep_the_contracts():
    parts.need_module("importlinter")
    code = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    command = [sys.executable, "-c", code, "--no-logo", "--no-cache"]
    done = subprocess.run(command, cwd=parts.REPOSITORY, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_a_wheel_in_an_empty_environment_runs_the_demo(tmp_path):
    source = tmp_path / "source"
    for path in tree():
        target = source / path.relative_to(parts.REPOSITORY)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    home = tmp_path / "environment"
    venv.create(home, with_pip=True)
    scripts = home / ("Scripts" if os.name == "nt" else "bin")
    python = scripts / "python"
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}

    def run(*command: object) -> str:
        done = subprocess.run(
            [str(part) for part in command], cwd=tmp_path, env=environment, capture_output=True, encoding="utf-8"
        )
        if done.returncode and "No matching distribution found" in done.stderr:
            parts.missing("needs the package index")
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run(python, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", tmp_path, source)
    (wheel,) = tmp_path.glob("cmrorient-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        assert {name.split("/")[0] for name in archive.namelist() if ".dist-info" not in name} == {"CMROrientLib"}
        assert not [name for name in archive.namelist() if "study/" in name or "Training" in name]
    run(python, "-m", "pip", "install", "--quiet", wheel)
    installed = run(python, "-c", "import CMROrientLib; print(CMROrientLib.__file__)")
    assert Path(installed.strip()).is_relative_to(home)
    for absent in ("torch", "matplotlib", "skimage"):
        run(python, "-c", f"import importlib.util as u; assert u.find_spec({absent!r}) is None")
    table = run(scripts / "cmrorient", "demo", "-o", tmp_path / "demo")
    assert "12 of 12 volumes are right" in table
    assert list((tmp_path / "demo").rglob("*.png"))
