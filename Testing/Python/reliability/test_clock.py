"""A clock that goes backwards, and files from the future: records stay sane, and an edit is seen all the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import jsonschema
from sample_study import environment
from undisturbed import DECIDED, images_in, left_in, run, same_as

from CMROrientLib.run.record import schema

#: Runs the command line while each look at the clock is an hour before the last one.
BACKWARDS = """
import sys, time
now = time.time()
def earlier():
    global now
    now -= 3600
    return now
time.time, time.time_ns = earlier, lambda: int(earlier() * 1e9)
from CMROrientLib.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


def test_a_run_while_the_clock_goes_backwards(tmp_path: Path) -> None:
    source, out = images_in(tmp_path / "in", 6), tmp_path / "out"
    words = ["correct", str(source), "-o", str(out), *DECIDED]
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", BACKWARDS, *words], env=environment(), capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stderr
    lines = (out / "cmrorient.jsonl").read_text(encoding="utf-8").splitlines()
    for record in map(json.loads, lines):
        jsonschema.validate(record, schema())
        assert record["seconds"] >= 0
    assert run(source, tmp_path / "calm")[0] == 0
    assert same_as(left_in(tmp_path / "calm"), out) == []


def test_files_from_the_future_that_are_edited_are_done_again(tmp_path: Path) -> None:
    source, out = images_in(tmp_path / "in", 4), tmp_path / "out"
    files = sorted(path for path in source.rglob("*") if path.is_file())
    future = time.time() + 10 * 365 * 86400
    for path in files:
        os.utime(path, (future, future))
    assert run(source, out)[0] == 0
    # Another image of the same size under the same name; the clock was set right in between.
    first, other = files[0], images_in(tmp_path / "other", 5) / "00" / "0004.nii.gz"
    first.write_bytes(other.read_bytes())
    assert run(source, out)[0] == 0
    assert run(source, tmp_path / "calm")[0] == 0
    assert same_as(left_in(tmp_path / "calm"), out) == []
