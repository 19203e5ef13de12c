"""`cmrorient benchmark` on a few small images: every part measures something, and the page says it."""

from __future__ import annotations

import json
import os
import re
import shlex
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from parts import REPOSITORY, need_module
from sample_study import MODEL, cmrorient, phantom, put

from CMROrientLib import __version__
from CMROrientLib.benchmark import processes, starts, warm
from CMROrientLib.benchmark.machine import describe, matrix_product_rate
from CMROrientLib.benchmark.measure import BenchmarkOptions
from CMROrientLib.benchmark.on_cuda import on_cuda, one_pass
from CMROrientLib.benchmark.page import _aims, _runs, _starts, page
from CMROrientLib.benchmark.processes import output_of
from CMROrientLib.benchmark.stages import STAGES
from CMROrientLib.benchmark.versions import Version, here, others
from CMROrientLib.cli.main import main
from CMROrientLib.errors import CMROrientError, UsageError
from CMROrientLib.recognition.cards.model_files import find_model


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], str]:
    """The figures and the page of one short benchmark over two small images of a folder."""
    place = tmp_path_factory.mktemp("benchmark")
    for n in range(2):
        put(phantom(n, slices=2), place / "data" / f"{n}.nii.gz")
    words = [
        "benchmark",
        "--data",
        place / "data",
        "--volumes",
        "2",
        "--starts",
        "1",
        "--rounds",
        "1",
        "--model",
        MODEL,
    ]
    done = cmrorient(*words, "-o", place / "figures.json", "--page", place / "performance.md")
    assert done.status == 0, done.err
    return json.loads((place / "figures.json").read_text()), (place / "performance.md").read_text()


def test_every_part_is_measured(figures: tuple[dict[str, Any], str]) -> None:
    found, _ = figures
    assert found["volumes"] == found["images"]["count"] == 2
    assert found["versions"].keys() == {"this"}
    assert found["starts"]["this"]["wall_s"] > found["starts"]["interpreter"]["wall_s"] > 0
    runs = {"this: correct", "this: no network", "this: one pass", "this: all looks", "gzip -1", "gzip -6"}
    assert found["runs"].keys() == runs and all(run["wall_s"] > 0 for run in found["runs"].values())
    assert found["warm"]["this: all looks"]["inputs"] == 2 * 16 > found["warm"]["this: one pass"]["inputs"]
    assert list(found["stages_ms"]) == list(STAGES) and min(found["stages_ms"].values()) >= 0
    assert found["onnxruntime_cpu_averaged_ms_a_volume"] > 0 and found["correct_nii_gz_ms_a_volume"] > 0
    rows = found["networks"]["rows"]
    assert rows["cine"]["architecture"] == "orientnet" and all(row["cpu_ms"] > 0 for row in rows.values())
    assert bool(found["networks"]["left_out"]) != ("resnet18" in rows and "densenet121" in rows)
    assert ("slices_per_s" in found["cuda"]) != ("left_out" in found["cuda"])


def test_the_page_has_each_part_its_command_and_no_place_or_name(figures: tuple[dict[str, Any], str]) -> None:
    found, text = figures
    assert re.findall("^## (.*)$", text, re.MULTILINE) == [
        "Aims", "Cold start", "A warm volume", "Runs", "Stages", "Networks",
    ]  # fmt: skip
    assert "`cmrorient benchmark --volumes 2 --data FOLDER --starts 1 --rounds 1 --page performance.md`" in text
    for private in (socket.gethostname(), str(Path.home()), str(Path.cwd()), "/tmp"):
        assert private not in text and private not in json.dumps(found)
    assert "An untimed first start of each leaves its modules compiled" in text
    widths = {line.count("|") for line in text.split("## Runs")[1].split("##")[0].splitlines() if line.startswith("|")}
    assert widths == {7}


def test_a_missed_aim_is_called_missed_and_a_met_one_met(figures: tuple[dict[str, Any], str]) -> None:
    found = json.loads(json.dumps(figures[0]))
    found["ratios"] |= {"start_to_bare_cpu": 2.01, "no_network_to_correct_cpu": 0.6}
    lines = page(found, "cmrorient benchmark").splitlines()
    assert any(line.startswith("| start") and line.endswith("| **missed** |") for line in lines)
    assert any("without any network (CPU time) | 0.60 | at least 0.6 | met |" in line for line in lines)


def test_another_version_is_named_and_compared(figures: tuple[dict[str, Any], str]) -> None:
    found = json.loads(json.dumps(figures[0]))
    found["versions"]["other"] = "0.9"
    for part in ("starts", "runs", "warm"):
        found[part] |= {name.replace("this", "other"): row for name, row in found[part].items() if "this" in name}
    text = page(found, "cmrorient benchmark")
    assert "“other” is version 0.9" in text and "`correct` takes 100 % of its CPU time" in text


def test_what_cuda_is_measured_by_runs_on_the_cpu(figures: tuple[dict[str, Any], str]) -> None:
    need_module("torch")
    need_module("safetensors")
    measured = one_pass(MODEL, "torch-cpu", slices=12, rounds=1)
    assert measured["device"] == "CPU (PyTorch)"
    rates = [measured[f"{name}_per_s"] for name in ("slices", "inputs")]
    rates += [measured[f"slices_per_s_{way}"] for way in ("there", "in_stacks")]
    assert all(isinstance(rate, int) and rate > 0 for rate in rates)
    found = json.loads(json.dumps(figures[0]))
    for rate, verdict in ((20_000, "met"), (19_999, "**missed**")):
        found["cuda"] = {**measured, "device": "CUDA: a card", "slices_per_s": rate}
        text = page(found, "cmrorient benchmark")
        words = "slices a second on CUDA, one pass from the host's memory, preprocessing on the device"
        assert f"| {words} | {rate:,}.00 | at least 20000 | {verdict} |" in text
        assert f"CUDA: a card, 12 slices of 256 × 208 in one pass, prepared on the device: {rate:,} slices" in text
        assert "CUDA was not measured" not in text


def test_cuda_is_measured_by_pytorch_alone() -> None:
    with pytest.raises(CMROrientError, match="cpu is no device of PyTorch"):
        one_pass(MODEL, "cpu", slices=1, rounds=1)


def test_cuda_that_there_is_not_is_told_as_not_measured(
    figures: tuple[dict[str, Any], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("CMROrientLib.benchmark.on_cuda.choose_device", lambda _: "cpu")
    found = {**figures[0], "cuda": on_cuda(MODEL)}
    text = page(found, "cmrorient benchmark")
    assert text.endswith("CUDA was not measured: there is no CUDA device that PyTorch can use.\n")


def other_version(checksum: str) -> dict[str, Any]:
    """The parts of figures that the page holds two versions against each other by."""
    timing = {"cpu_s": 1.0, "wall_s": 1.0, "rounds": 1}
    row = {"cpu_ms": 30.0, "wall_ms": 30.0, "inputs": 160}
    return {
        "versions": {"this": __version__, "other": "1.0.0"},
        "starts": {"this": timing, "other": timing, "bare": timing},
        "runs": {f"{name}: {kind}": timing for name in ("this", "other") for kind in ("correct", "no network")},
        "warm": {
            "this: as it comes": {**row, "checksum": "a" * 64},
            "this: all looks": {**row, "checksum": "a" * 64},
            "other: all looks": {**row, "checksum": checksum},
        },
        "cuda": {},
        "images": {"count": 2},
        "ratios": dict.fromkeys(("start_to_bare_cpu", "no_network_to_correct_cpu", "no_network_to_correct_wall"), 0.7),
    }


def test_another_network_of_another_version_is_told() -> None:
    text = "\n".join(_aims(other_version("b" * 64)))
    assert "The network of version 1.0.0 is another one (bbbbbbbbbbbb, this version's aaaaaaaaaaaa)" in text
    assert "| `correct`, to version 1.0.0 without any network (CPU time) | 1.00 | at least 0.6 | met |" in text
    for checksum in ("a" * 64, ""):
        assert "is another one" not in "\n".join(_aims(other_version(checksum)))


def test_one_round_is_no_rounds() -> None:
    text = "\n".join([*_runs(other_version("")), *_starts(other_version(""))])
    assert "1 round in turn" in text and "(1 round)" in text and "1 rounds" not in text


@pytest.mark.parametrize("tells", [True, False])
def test_inputs_are_counted_where_a_version_does_not_tell_them(tmp_path: Path, tells: bool) -> None:
    put(phantom(1, slices=2), tmp_path / "data" / "0.nii.gz")
    code = warm._CODE if tells else warm._CODE.replace('getattr(found, "inputs"', 'getattr(found, "none"')
    assert tells or code != warm._CODE
    said = output_of(here().bare(code, str(tmp_path / "data"), json.dumps({"model": MODEL, "threads": 1})))
    _, _, inputs, checksum = json.loads(said)
    assert (inputs, checksum) == (2 * 16, find_model(MODEL).checksum)


def test_a_command_that_fails_is_no_figure(tmp_path: Path) -> None:
    call = processes.Call([sys.executable, "-c", "raise SystemExit('no good')"])
    with pytest.raises(CMROrientError, match="'broken' failed: no good"):
        processes.in_turn({"broken": call}, 1)
    with pytest.raises(CMROrientError, match="no good"):
        processes.output_of(call)


def test_commands_take_turns(tmp_path: Path) -> None:
    told: list[str] = []
    calls = {name: processes.Call([sys.executable, "-c", "pass"]) for name in "ab"}
    times = processes.in_turn(calls, 3, told.append)
    assert told == ["a", "b", "b", "a", "a", "b"]
    assert times["a"].rounds == 3 and times["a"].wall > 0


def test_what_is_timed_is_compiled_already(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.delenv("PYTHONPYCACHEPREFIX", raising=False)
    package = tmp_path / "CMROrientLib"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "part.py").touch()
    # Each start says whether it finds its modules compiled.
    (package / "__main__.py").write_text(
        "import pathlib, sys\n"
        "found = list(pathlib.Path(__file__).parent.rglob('part.*.pyc'))\n"
        "print(bool(found), file=(pathlib.Path(__file__).parents[1] / f'{sys.argv[1]}.txt').open('a'))\n"
        "from CMROrientLib import part\n"
    )
    starts.measure([Version("this", sys.executable, "0", True, str(tmp_path))], Path("image.nii.gz"), 2)
    assert (tmp_path / "recognize.txt").read_text().split() == ["False", "True", "True"]


@pytest.mark.parametrize(
    "words",
    [["--volumes", "0"], ["--rounds", "0"], ["--starts", "-1"], ["--against", "nowhere/python"], ["--threads", "0"]],
)
def test_what_cannot_be_measured_is_wrong_usage(words: Sequence[str]) -> None:
    assert cmrorient("benchmark", *words).status == 2


def test_an_interpreter_without_the_library_is_refused(tmp_path: Path) -> None:
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\nexit 3\n")
    broken.chmod(0o755)
    with pytest.raises(UsageError, match="no Python interpreter that has CMROrient"):
        others([str(broken)])


@pytest.mark.skipif(sys.platform == "win32", reason="a script is no program there")
def test_an_interpreter_is_found_from_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands run in another folder, and an environment's interpreter is a link that is not to be followed."""
    python = tmp_path / "env" / "bin" / "python"
    python.parent.mkdir(parents=True)
    code = f'#!/bin/sh\nPYTHONPATH={shlex.quote(str(REPOSITORY))} exec {shlex.quote(sys.executable)} "$@"\n'
    python.with_name("real").write_text(code)
    python.with_name("real").chmod(0o755)
    python.symlink_to("real")
    monkeypatch.chdir(tmp_path)
    [version] = others(["env/bin/python"])
    assert version.python == str(python) and version.number == __version__
    monkeypatch.setenv("PATH", str(python.parent), prepend=os.pathsep)
    assert others(["python"]) == [version]
    with pytest.raises(UsageError, match="env/python: there is no such interpreter; give"):
        others(["env/python"])


def test_where_a_system_tells_no_processor_time_nothing_is_made_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows tells none of child processes: it is null in the figures, and no aim is missed for it."""
    monkeypatch.setattr(sys, "platform", "win32")
    timing = processes.in_turn({"a": processes.Call([sys.executable, "-c", "pass"])}, 2)["a"]
    json.dumps(timing.to_json(), allow_nan=False)
    assert timing.wall > 0 and timing.to_json()["cpu_s"] is None and timing.cpu_to(timing) is None
    found = {
        "versions": {"this": __version__},
        "starts": {},
        "runs": {},
        "warm": {"this: as it comes": {"cpu_ms": 30.0}},
        "cuda": {},
        "ratios": {
            "start_to_bare_cpu": None,
            "no_network_to_correct_cpu": None,
            "no_network_to_correct_wall": 0.7,
        },
    }
    rows = list(_aims(found))
    assert "| start, to the import of SimpleITK (CPU time) | not measured | at most 2 |  |" in rows
    assert sum("not measured" in row for row in rows) == 2 and not any("missed" in row for row in rows)


def test_the_clock_is_not_called_processor_time_where_there_is_none(figures: tuple[dict[str, Any], str]) -> None:
    found = json.loads(json.dumps(figures[0]))
    found["versions"]["other"] = "0.9"
    found["ratios"] |= {"start_to_bare_cpu": None, "no_network_to_correct_cpu": None}
    for part in ("starts", "runs"):
        found[part] |= {name.replace("this", "other"): dict(row) for name, row in found[part].items() if "this" in name}
        for row in found[part].values():
            row["cpu_s"] = None
    found["runs"]["other: correct"]["wall_s"] *= 4
    text = page(found, "cmrorient benchmark")
    assert "| `correct`, to version 0.9 without any network (CPU time) | not measured |" in text
    assert "`correct` takes 25 % of its time by the clock, a start 100 % of its time by the clock" in text
    tables = [part.split("## Warm")[0] for part in re.split("## (?:Cold start|Runs)", text)[1:]]
    rows = [line.split("|")[1:-1] for part in tables for line in part.split("##")[0].splitlines() if "|" in line]
    assert all(row[-1].strip() == "" for row in rows if row[1].strip() == "")
    assert sum(row[1].strip() == "" for row in rows) == len(found["starts"]) + len(found["runs"])


@pytest.mark.parametrize("option", ["-o", "--page"])
def test_places_are_checked_before_anything_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    def never(*_: object) -> dict[str, object]:
        raise AssertionError("this takes minutes")

    monkeypatch.setattr("CMROrientLib.benchmark.measure.benchmark", never)
    (tmp_path / "file").write_text("")
    for place in (tmp_path, tmp_path / "file" / "x"):
        assert main(["benchmark", option, str(place)]) == 2
        assert "; give " in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--volumes", "0"], ["--against", "nowhere/python"], ["--model", "nowhere"]])
def test_wrong_usage_makes_no_folder(tmp_path: Path, words: Sequence[str]) -> None:
    new = tmp_path / "new" / "folder" / "figures.json"
    assert main(["benchmark", "-o", str(new), *words]) == 2
    assert list(tmp_path.iterdir()) == []


def test_figures_are_told_where_they_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "figures.json"

    def measured(*_: object) -> dict[str, object]:
        place.mkdir()
        return {"volumes": 7}

    monkeypatch.setattr("CMROrientLib.benchmark.measure.benchmark", measured)
    assert main(["benchmark", "--json", "-o", str(place)]) == 1
    assert json.loads(capsys.readouterr().out) == {"volumes": 7}


def test_the_machine_is_named_without_its_owner() -> None:
    said = describe()
    assert int(said["cores"]) >= 1 and said["cpu"]
    assert socket.gethostname() not in map(str, said.values())
    assert matrix_product_rate() > 1e8
    assert BenchmarkOptions().volumes == 12
