"""Files of a run: their checksums, and putting what an image becomes in its place."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable
from pathlib import Path

from ..correction import Correction
from ..io import ImageFiles, voxels, write_source
from ..io.atomic import replacing
from ..volume import Volume
from .plan import copies

_PIECE = 1 << 20


def put(source: ImageFiles, volume: Volume, correction: Correction, destination: Path) -> list[Path]:
    """Write what a source becomes: its files' own bytes where nothing changes."""
    targets = copies(source, destination)
    if not correction.changes_nothing or len(targets) < len(source.files):
        return write_source(correction.apply(volume), source, destination)
    done: list[Path] = []
    try:
        for path, target in targets.items():
            done.append(copy(path, target))
    except BaseException:
        for target in done:
            target.unlink(missing_ok=True)
        raise
    return done


def copy(source: Path, target: Path) -> Path:
    """Copy one file's bytes, whole or not at all."""
    with source.open("rb") as original, replacing([target]) as [stream]:
        shutil.copyfileobj(original, stream, _PIECE)
    return target


def checksum(paths: Iterable[Path]) -> str:
    """SHA-256 of a file's bytes; of several files, of the lines "checksum  name" sorted by name.

    Raises ``CMROrientError`` where one cannot be read.
    """
    return combined((path.name, digest(path)) for path in paths)


def combined(digests: Iterable[tuple[str, str]]) -> str:
    """The same from the files' names and their own checksums."""
    several = list(digests)
    if len(several) == 1:
        return several[0][1]
    lines = "".join(f"{value}  {name}\n" for name, value in sorted(several))
    return hashlib.sha256(encoded(lines)).hexdigest()


def encoded(text: str) -> bytes:
    """Text with names of files in it as bytes: on Linux names may be any bytes, on Windows any 16-bit units."""
    try:
        return text.encode("utf-8", errors="surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", errors="surrogatepass")


def digest(path: Path) -> str:
    """SHA-256 of one file's bytes. Raises ``CMROrientError`` where it cannot be read."""
    found = hashlib.sha256()
    with voxels.reading(path) as stream:
        while piece := stream.read(_PIECE):
            found.update(piece)
    return found.hexdigest()
