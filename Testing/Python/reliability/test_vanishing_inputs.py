"""Inputs that vanish, come back, are cut short and are replaced while a run reads them."""

from __future__ import annotations

import random
import threading
from pathlib import Path

from sample_study import phantom, put
from undisturbed import LONG, images_in, left_in, run, same_as

from CMROrientLib.folders import correct_folder

ROUNDS = 10 if LONG else 2


def _disturb(versions: dict[Path, list[bytes]], draws: random.Random, ended: threading.Event) -> None:
    """Take one file after the other away, cut it short, write it anew, or put another in its place."""
    files = sorted(versions)
    while not ended.wait(0.002):
        path = draws.choice(files)
        content, what = draws.choice(versions[path]), draws.randrange(4)
        if what == 0:
            path.unlink(missing_ok=True)
        elif what == 1:
            path.write_bytes(content[: draws.randrange(len(content))])
        elif what == 2:
            path.write_bytes(content)
        else:
            new = path.with_name(f".{path.name}.new")
            new.write_bytes(content)
            new.replace(path)


def test_each_has_its_record_and_the_next_run_is_right(tmp_path: Path) -> None:
    source, out = images_in(tmp_path / "in", 40), tmp_path / "out"
    files = sorted(path for path in source.rglob("*") if path.is_file())
    versions = {path: [path.read_bytes()] for path in files}
    for number, path in enumerate(files):
        other = put(
            phantom(3, seed=20 + number % 5, slices=2, size=(40, 48)), tmp_path / f"other{''.join(path.suffixes)}"
        )
        versions[path].append(other.read_bytes())
    draws = random.Random(3)

    for _ in range(ROUNDS):
        for file in files:
            file.write_bytes(draws.choice(versions[file]))
        ended = threading.Event()
        disturbing = threading.Thread(target=_disturb, args=(versions, draws, ended))
        disturbing.start()
        try:
            records = correct_folder(source, out, orientation=3, overwrite=True)
        finally:
            ended.set()
            disturbing.join()
        assert len({record.path for record in records}) == len(records)
        assert all(record.error or record.output for record in records)
        # The dust has settled: the same command makes it what it should be.
        for file in files:
            file.write_bytes(versions[file][1])
        assert run(source, out, "--overwrite")[0] == 0
        assert run(source, tmp_path / "calm")[0] == 0
        assert same_as(left_in(tmp_path / "calm"), out) == []
