"""Every file is in the lists that make the extension's package, and plain CMake can install from them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import parts
import pytest

sys.path.insert(0, str(parts.REPOSITORY / "Testing"))
import cmake_lists


@pytest.mark.parametrize("lists", cmake_lists.ALL, ids=lambda lists: lists.folder)
def test_the_lists_name_exactly_the_files_of_the_tree(lists: cmake_lists.Lists) -> None:
    scripts, resources = lists.in_cmake()
    tree_scripts, tree_resources = lists.in_tree()
    fix = "run: python Testing/cmake_lists.py --write"
    assert sorted(scripts) == sorted(tree_scripts), fix
    assert sorted(resources) == sorted(tree_resources), fix
    assert len(set(scripts)) == len(scripts) and len(set(resources)) == len(resources), "a file is listed twice"


def test_weights_pictures_and_forms_are_among_them() -> None:
    module, library = (lists.in_cmake()[1] for lists in cmake_lists.ALL)
    assert {"Resources/UI/CMROrient.ui", "Resources/Icons/CMROrient.png"} <= set(module)
    for name in (
        "recognition/models/universal.onnx",
        "recognition/models/universal.safetensors",
        "recognition/models/universal.json",
        "recognition/models/models.json",
    ):
        assert name in library
    assert "recognition/models/LICENSE.md" in library


def test_studies_are_not_among_them() -> None:
    """They lie beside the extension's folders, in Training, and need what Slicer does not bring."""
    assert [lists.folder for lists in cmake_lists.ALL] == ["CMROrient", "CMROrientLib"]
    for lists in cmake_lists.ALL:
        scripts, resources = lists.in_cmake()
        assert not [name for name in (*scripts, *resources) if name.startswith(("..", "Training"))]
        assert not [name for name in scripts if name.startswith("training/study") or "leave_source_out" in name]


def test_a_missing_file_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cmake_lists, "REPOSITORY", tmp_path)
    (tmp_path / "part" / "sub").mkdir(parents=True)
    (tmp_path / "part" / "CMakeLists.txt").write_text(
        "set(MODULE_PYTHON_SCRIPTS\n  a.py\n  )\nset(MODULE_PYTHON_RESOURCES\n  )\n", encoding="utf-8"
    )
    for name in ("a.py", "sub/b.py", "c.bin"):
        (tmp_path / "part" / name).touch()
    lists = cmake_lists.Lists("part")
    assert lists.in_tree() == (["a.py", "sub/b.py"], ["c.bin"]) and lists.in_cmake() == (["a.py"], [])
    lists.write()
    assert lists.in_cmake() == lists.in_tree()


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the extension installs, by plain CMake and a stand-in for Slicer's macros."""
    cmake = parts.need_program("cmake")
    folder = tmp_path_factory.mktemp("cmake")
    configure = [
        cmake,
        *("-S", str(parts.REPOSITORY), "-B", str(folder / "build")),
        f"-DSlicer_DIR={parts.REPOSITORY / 'Testing' / 'cmake'}",
        f"-DCMAKE_INSTALL_PREFIX={folder / 'installed'}",
    ]
    for command in (configure, [cmake, "--install", str(folder / "build")]):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    tests = subprocess.run(
        [cmake.replace("cmake", "ctest"), "-N", "--test-dir", str(folder / "build")],
        capture_output=True,
        text=True,
        check=True,
    )
    (folder / "tests.txt").write_text(tests.stdout, encoding="utf-8")
    return folder / "installed" / "qt-scripted-modules"


def test_the_library_is_installed_beside_the_module(installed: Path) -> None:
    for lists in cmake_lists.ALL:
        root = installed / lists.folder if lists.folder == "CMROrientLib" else installed
        for name in [*lists.in_cmake()[0], *lists.in_cmake()[1]]:
            assert (root / name).is_file(), name
    # Slicer takes every .py file at the top for a module.
    assert [path.name for path in installed.glob("*.py")] == ["CMROrient.py"]


def test_the_installed_library_works_alone(installed: Path) -> None:
    code = (
        "from CMROrientLib.recognition.cards.model_files import find_model; import CMROrientLib; "
        "print(CMROrientLib.__file__); print(find_model('universal').name); import CMROrientLib.mrml.session"
    )
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment, cwd=installed.parent
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0].startswith(str(installed)) and "universal" in done.stdout


def test_ctest_knows_the_tests_that_run_in_slicer(installed: Path) -> None:
    tests = (installed.parents[1] / "tests.txt").read_text(encoding="utf-8")
    for name in ("py_CMROrient", "py_CMROrientPanelTest", "py_test_headless"):
        assert name in tests
