"""Records and pictures as a run leaves them, for the tests of the report and the audit."""

from __future__ import annotations

import io
from collections.abc import Iterable

import numpy as np
from PIL import Image
from records import changed, flat

from CMROrientLib.orientation import Orientation
from CMROrientLib.run.pictures.thumbnails import Thumbnails
from CMROrientLib.run.record import Record
from CMROrientLib.volume import Grid

MODEL = "universal@0123456789ab"


def jpeg(seed: int = 0, side: int = 96) -> bytes:
    """A picture with as much in it as a real one: smooth shapes and noise."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    body = 160 * (x**2 + 1.4 * y**2 < 0.8) - 90 * ((x - 0.2) ** 2 + y**2 < 0.1)
    noisy = np.clip(body + random.normal(0, 14, (side, side)) + 20, 0, 255).astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(noisy).save(stream, "JPEG", quality=72, optimize=True)
    return stream.getvalue()


def acted_on(path: str, p: int = 2, h: int | None = 2, **changes: object) -> Record:
    """A record of an image that was corrected (p) and whose header claims h, None for nothing."""
    votes = [0] * 8
    votes[p] = 9
    votes[(p + 3) % 8] += 1
    mirrored = h is not None and Orientation(p).after(Orientation(h).inverse).mirrors
    record = flat(
        path,
        orientation=p,
        header_orientation=h,
        header_state="none" if h is None else "known",
        conflict=h is not None and h != p,
        mirrored=mirrored,
        confidence=0.98,
        decision="reoriented" if p else "standard",
        decided_by="network",
        votes=votes,
        slices=10,
        model=MODEL,
        geometry="auto",
        geometry_class=h or 0,
        target=0,
        slice_axis=2,
        grid_in=Grid((1, 1, 1)).to_json(),
        sha256_in="ab" * 32,
        sha256_out="cd" * 32,
        output=path,
        seconds=0.4,
        words=f"Stored {Orientation(p).label}: 9 of 10 slices, confidence 0.98.",
    )
    return changed(record, **changes)


def undecided(path: str, **changes: object) -> Record:
    """A record of an image that the network was not sure about."""
    return acted_on(path, decision="uncertain", confidence=0.41, output=None, words="Not sure: 0.41.", **changes)


def left_alone(path: str, **changes: object) -> Record:
    """A record of an image that is no short axis."""
    words = "Not a short-axis image."
    return acted_on(path, decision="not_short_axis", conflict=False, output=None, words=words, **changes)


def failed(path: str, error: str = "is cut short inside its voxels") -> Record:
    """A record of an image that could not be read."""
    return Record(path=path, error=error)


def one_of_each() -> list[Record]:
    """Every kind of record, the least urgent first."""
    return [
        left_alone("g/left-alone.nii.gz"),
        acted_on("f/standard.nii.gz", 0, 0),
        acted_on("e/turned.nii.gz", 5, 5),
        acted_on("d/silent.nii.gz", 6, None),
        failed("c/broken.nii.gz"),
        undecided("b/undecided.nii.gz"),
        acted_on("a/mirrored.nii.gz", 1, 0),
    ]


def pictures_of(records: Iterable[Record]) -> dict[tuple[str, str | None], Thumbnails]:
    """Two pictures for each corrected image, one for each that was only read."""
    found = {}
    for number, record in enumerate(records):
        if record.error is None:
            after = jpeg(2 * number + 1) if record.output is not None and record.orientation else None
            found[record.key] = Thumbnails(jpeg(2 * number), after)
    return found


def many(count: int) -> list[Record]:
    """A large run: names of usual length, one image of twenty is in need of a person."""
    records = []
    for n in range(count):
        path = f"archive/centre_{n % 7}/patient_{n:06d}/visit_1/cine_short_axis.nii.gz"
        if n % 60 == 0:
            records.append(failed(path))
        elif n % 60 == 1:
            records.append(undecided(path))
        else:
            records.append(acted_on(path, n % 8, n % 8 if n % 20 else (n + 1) % 8))
    return records
