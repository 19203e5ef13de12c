"""The console and scripts without a window: results, exit statuses, no boxes and no worker processes."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
import unittest
from pathlib import Path
from typing import Any

import numpy as np
import parts
import pytest
from slicer_host import add_cine, add_volume, application, host, load, save_and_load, scene, slicer, voxels  # noqa: F401

from CMROrientLib import io as files
from CMROrientLib.errors import CMROrientError
from CMROrientLib.mrml.nodes import right_handed
from CMROrientLib.mrml.requirements import FOR_FILES
from CMROrientLib.orientation import Orientation
from CMROrientLib.phantom.phantom import make_phantom
from CMROrientLib.run.store import read_records

pytestmark = pytest.mark.usefixtures("scene")

SIZE, SLICES = (130, 160), 4

#: Runs scripts as Slicer does: their argument lists, slicer with an application, and no new processes.
AS_IN_SLICER = """
import multiprocessing.process, os, runpy, subprocess, sys
sys.path.insert(0, {host!r})
import host
host.load_module()
host.start().app.hasViews = False
def refuse(*_, **__):
    raise AssertionError("a process was started inside Slicer")
multiprocessing.process.BaseProcess.start = subprocess.Popen.__init__ = os.fork = refuse
for argv in {runs!r}:
    sys.argv = argv
    try:
        runpy.run_path(argv[0], run_name="__main__")
    except SystemExit as end:
        print("status", end.code)
    else:
        print("status: the script does not end Slicer")
"""


@pytest.fixture(scope="module")
def logic() -> Any:
    return host.load_module().CMROrientLogic()


def node(orientation: int, header: str = "true", name: str = "SAX") -> Any:
    volume = make_phantom(size=SIZE, slices=SLICES, orientation=orientation, header=header)
    return add_volume(right_handed(volume).volume, name)


def run_in_slicer(*runs: tuple[object, ...]) -> tuple[list[str], str]:
    """The exit status of each run (a script and its arguments), and everything that was printed."""
    argv = [[str(parts.REPOSITORY / str(script)), "--", *map(str, arguments)] for script, *arguments in runs]
    code = AS_IN_SLICER.format(host=str(parts.REPOSITORY / "Testing" / "host"), runs=argv)
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    said = [line.removeprefix("status ") for line in done.stdout.splitlines() if line.startswith("status")]
    return said, done.stdout + done.stderr


class TestInsideSlicer:
    """The tests that CTest runs inside the application hold in the host, too."""

    @pytest.fixture
    def cases(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
        panel, window = host.open_panel()
        monkeypatch.syspath_prepend(parts.REPOSITORY / "Testing" / "Slicer")
        monkeypatch.setattr(slicer.util, "getModuleWidget", lambda _name: panel)
        # The application's own reading and writing of files, through the same storage nodes.
        monkeypatch.setattr(slicer.util, "saveNode", lambda saved, path: bool(save_and_load(saved, Path(path))))
        monkeypatch.setattr(slicer.util, "loadVolume", lambda path: load(Path(path)))
        yield importlib.import_module("CMROrientPanelTest")
        host.close_panel(panel, window)

    def test_they_pass(self, cases: Any) -> None:
        suite = unittest.defaultTestLoader.loadTestsFromModule(cases)
        result = unittest.TestResult()
        suite.run(result)
        assert result.testsRun >= 5 and not result.skipped
        assert result.wasSuccessful(), result.errors + result.failures


class TestInsideASlicerThatLacksOnnxRuntime(TestInsideSlicer):
    """A build machine of extensions has no ONNX Runtime: nothing can be tested there, and nothing is broken."""

    @pytest.fixture(autouse=True)
    def lacking(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "onnxruntime", None)

    def ran(self, cases: Any) -> unittest.TestResult:
        result = unittest.TestResult()
        unittest.defaultTestLoader.loadTestsFromModule(cases).run(result)
        return result

    def test_they_pass(self, cases: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("CMRORIENT_TEST_REQUIRE_ALL", raising=False)
        result = self.ran(cases)
        assert result.wasSuccessful() and len(result.skipped) == result.testsRun >= 5
        assert all("ONNX Runtime" in reason for _case, reason in result.skipped)

    def test_they_fail_where_nothing_may_be_missing(self, cases: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CMRORIENT_TEST_REQUIRE_ALL", "1")
        result = self.ran(cases)
        assert len(result.errors + result.failures) == result.testsRun and not result.skipped

    @pytest.mark.parametrize(("required", "ends"), [("", "0"), ("1", "1")])
    def test_the_headless_one_says_why(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, required: str, ends: str
    ) -> None:
        (tmp_path / "onnxruntime.py").write_text("raise ImportError('no onnxruntime here')", encoding="utf-8")
        monkeypatch.setenv("CMRORIENT_TEST_REQUIRE_ALL", required)
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        status, said = run_in_slicer(("Testing/Slicer/test_headless.py",))
        assert status == [ends], said
        assert "no onnxruntime here" in said and ("skipped" in said) == (required == "")

    @pytest.mark.parametrize(("required", "ends"), [("", "0"), ("1", "1")])
    def test_the_headless_one_says_which_package_is_too_old(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, required: str, ends: str
    ) -> None:
        old = tmp_path / "pydicom-2.4.4.dist-info" / "METADATA"
        old.parent.mkdir()
        old.write_text("Metadata-Version: 2.1\nName: pydicom\nVersion: 2.4.4\n", encoding="utf-8")
        monkeypatch.setenv("CMRORIENT_TEST_REQUIRE_ALL", required)
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        status, said = run_in_slicer(("Testing/Slicer/test_headless.py",))
        assert status == [ends], said
        assert "pydicom 2.4.4 is too old (3.0 is the least)" in said and ("skipped" in said) == (required == "")

    def test_the_self_test_is_left_out_with_its_reason(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("CMRORIENT_TEST_REQUIRE_ALL", raising=False)
        result = unittest.TestResult()
        host.load_module().CMROrientTest().run(result)
        assert result.wasSuccessful() and "ONNX Runtime" in result.skipped[0][1]


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """Two stacks in two orientations."""
    folder = tmp_path / "study"
    (folder / "sub").mkdir(parents=True)
    for orientation, name in ((2, "a.nii.gz"), (5, "sub/b.nrrd")):
        files.write(make_phantom(size=SIZE, slices=SLICES, orientation=orientation), folder / name)
    return folder


def test_recognize_and_correct_from_the_console(logic: Any) -> None:
    slicer.app.hasViews = False
    image = node(5)
    result = logic.recognize(image)
    assert result.orientation is Orientation.ROTATE_90 and result.votes.sum() == SLICES
    made = logic.correct(image, geometry="auto")
    assert made.recognition.orientation is Orientation.ROTATE_90 and "clockwise" in made.words
    original = make_phantom(size=SIZE, slices=SLICES).array
    array = voxels(made.node)
    assert np.array_equal(array, original) or np.array_equal(array[::-1], original)
    assert made.table.GetTable().GetNumberOfRows() == SLICES


def test_the_console_never_asks_even_where_a_mirror_is_written(logic: Any) -> None:
    # The host raises at every box that nobody answers.
    made = logic.correct(node(1, "false"))
    assert made.recognition.mirrored and made.node.GetAttribute("CMROrient.Mirrored") == "yes"


def test_the_console_example_of_the_readme_runs(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    host.load_module()
    readme = (repository / "README.md").read_text(encoding="utf-8")
    (example,) = [code for code in re.findall(r"```python\n(.*?)```", readme, flags=re.DOTALL) if "slicer" in code]
    node(2)
    exec(example, {"slicer": slicer})
    assert "flipped upside down" in capsys.readouterr().out
    assert slicer.util.getNode("SAX standard") is not None


def test_a_decided_class_and_a_target(logic: Any) -> None:
    image = node(2)
    made = logic.correct(image, orientation=2, target=3)
    expected = Orientation(3).apply(make_phantom(size=SIZE, slices=SLICES).array)
    array = voxels(made.node)
    assert np.array_equal(array, expected) or np.array_equal(array[::-1], expected)
    assert made.table is None and made.recognition.decided_by == "user"


def test_what_is_not_decided_is_an_error_that_says_what_to_do(logic: Any) -> None:
    noise = make_phantom(size=SIZE, slices=SLICES)
    rng = np.random.default_rng(0)
    noise.array[:] = rng.integers(0, 1000, noise.array.shape)
    image = add_volume(noise, "noise")
    examined = logic.examine(image)
    assert not examined.recognition.acted_on
    with pytest.raises(CMROrientError, match="Decide yourself"):
        logic.correct(image)
    assert logic.correct(image, orientation=1).node is not None


def test_nodes_that_cannot_be_used_are_errors(logic: Any) -> None:
    with pytest.raises(CMROrientError, match="label map"):
        logic.recognize(add_volume(make_phantom(size=SIZE, slices=2), "labels", "vtkMRMLLabelMapVolumeNode"))
    with pytest.raises(CMROrientError, match="Select a volume"):
        logic.correct(None)


def test_a_cine_from_the_console(logic: Any) -> None:
    cine = make_phantom(size=SIZE, slices=2, phases=3, orientation=3)
    proxy, _, browser = add_cine(cine)
    made = logic.correct(proxy)
    assert browser.GetSequenceNode(made.node) is made.sequence and len(made.recognition.slice_indices) == 6


def test_all_images_of_the_scene(logic: Any) -> None:
    node(2, name="one"), node(0, name="two"), node(1, "false", name="three")
    made, left = logic.correctAll()
    assert [one.node.GetName() for one in made] == ["one standard"]
    assert dict(left).keys() == {"two", "three"}
    made, _ = logic.correctAll(mirrored="write")
    assert "three standard" in {one.node.GetName() for one in made}


def test_scripts_of_version_1_find_the_images_by_their_old_call(logic: Any) -> None:
    node(2, name="one")
    found, left = logic.lookAtAll()
    assert [one.image.name for one in found] == ["one"] and not left


def test_the_self_test_passes() -> None:
    module = host.load_module()
    case = module.CMROrientTest()
    case.setUp()
    case.runTest()


def test_commands_and_the_example_correct_a_folder_and_end_with_the_right_status(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts.need_package("pydicom", FOR_FILES["pydicom"])
    # What the test inside Slicer leaves out would end with 0, too.
    monkeypatch.setenv("CMRORIENT_TEST_REQUIRE_ALL", "1")
    command, example = "CMROrientLib/slicer_cli.py", "Documentation/examples/correct_folder.py"
    broken = tmp_path / "broken.nii"
    broken.write_text("no image", encoding="utf-8")
    status, said = run_in_slicer(
        (command, "correct", study, "-o", tmp_path / "out", "--jobs", "2"),
        (command, "recognize", broken),
        (command, "correct", study, "-o", study),
        (example, study, tmp_path / "again"),
        (example, study),
        ("Testing/Slicer/test_headless.py",),
    )
    assert status == ["0", "1", "2", "0", "2", "0"], said
    assert "a.nii.gz: reoriented" in said
    original = make_phantom(size=SIZE, slices=SLICES).array
    for out in ("out", "again"):
        for name in ("a.nii.gz", "sub/b.nrrd"):
            assert np.array_equal(files.read(tmp_path / out / name).array, original)
        assert {record.path for record in read_records(tmp_path / out)} == {"a.nii.gz", "sub/b.nrrd"}


def test_the_scripts_that_train_take_their_arguments() -> None:
    parts.need_module("torch")
    options = ("--recipe", "missing.toml", "--data", "nowhere", "--output", "nowhere")
    status, said = run_in_slicer(("Documentation/examples/train_network.py", *options), ("Training/train.py", *options))
    assert set(status) <= {"1", "2"} and len(status) == 2 and said.count("missing.toml") >= 2, said
