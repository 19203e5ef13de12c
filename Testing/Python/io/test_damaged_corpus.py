"""Two thousand damaged files of every format: each gives an image or one sentence that names it."""

from __future__ import annotations

import random
import tracemalloc
import warnings
from pathlib import Path

import pytest
from damage import damaged
from seeds import FORMATS, seeds, whole

from CMROrientLib.errors import CMROrientError
from CMROrientLib.io import find, read_source

#: Damaged files of each format; 2,000 in all.
COUNT = 500

#: More than any of these small files could need, should one of them claim gigabytes.
_MOST_MEMORY = 256 << 20


@pytest.mark.parametrize("kind", list(FORMATS))
def test_seeds_are_whole(tmp_path: Path, kind: str) -> None:
    assert all(whole(path) for path in seeds(tmp_path, kind))


@pytest.mark.parametrize("kind", list(FORMATS))
def test_an_image_or_a_sentence(tmp_path: Path, kind: str) -> None:
    originals = [(path, path.read_bytes()) for path in seeds(tmp_path, kind)]
    draw = random.Random(kind)
    read, refused = 0, 0
    tracemalloc.start()
    for _ in range(COUNT):
        path, raw = draw.choice(originals)
        path.write_bytes(damaged(raw, draw))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                for source in find(path):
                    read_source(source)
            read += 1
        except CMROrientError as error:
            refused += 1
            # A detached header may name a data file that there is not.
            assert str(path.parent) in str(error)
            assert len(str(error)) < len(str(path)) + 400
            assert "\n" not in str(error)
        path.write_bytes(raw)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert read > 20
    assert refused > 100
    assert most < _MOST_MEMORY
