"""A store that was cut short at any byte: it is told, or gone on with; no image is lost and nothing is half done."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

from undisturbed import LONG, emptied, images_in, left_in, run, same_as

CUTS = 200 if LONG else 6


def test_it_is_told_or_gone_on_with(tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    source, out = images_in(tmp_path / "in", 8), tmp_path / "out"
    assert run(source, out)[0] == 0
    expected, store = left_in(out), out / "cmrorient.sqlite"
    whole = store.read_bytes()
    draws = random.Random(7)
    # The ends of pages, and any byte.
    cuts = [0, 1, 99, 4096, len(whole) - 1] + [draws.randrange(len(whole)) for _ in range(CUTS)]
    record_property("cuts", len(cuts))
    for cut in cuts:
        store.write_bytes(whole[:cut])
        status, err = run(source, out)
        assert "Traceback" not in err, (cut, err)
        images = {
            path.relative_to(out).as_posix(): path.read_bytes()
            for path in out.rglob("*")
            if path.is_file() and not path.name.startswith("cmrorient")
        }
        assert images == expected[0], cut
        if status == 0:
            assert same_as(expected, out) == [], cut
        else:
            assert "cmrorient.sqlite" in err or "record" in err, (cut, err)
            # What it says to do helps.
            store.unlink()
            status, err = run(source, out)
            assert status == 0, (cut, err)
        assert same_as(expected, out) == [], cut
    emptied(out)
