"""The work on one image: recognize, correct, write, record. Runs in any process."""

from __future__ import annotations

import hashlib
import shutil
import sys
import time
import traceback
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import __version__
from ..correction import Correction, plan
from ..errors import CMROrientError
from ..io import ImageFiles, read, read_source, voxels, write_source
from ..io.atomic import replacing
from ..io.paths import relative
from ..recognition.recognizer import Recognizer, decided
from ..recognition.result import Recognition
from ..recognition.wording import words
from ..volume import Volume
from .companions import MaskPair, check_fit
from .plan import Settings, Task, copies
from .record import Record

if TYPE_CHECKING:
    from .thumbnails import Thumbnails

_PIECE = 1 << 20


@dataclass(frozen=True)
class Outcome:
    """What became of one image.

    Parameters
    ----------
    record:
        What was found and done.
    thumbnails:
        Pictures for the report, where they were asked for and the image could be read.
    kept:
        Whether an earlier run had done it already.
    """

    record: Record
    thumbnails: Thumbnails | None = None
    kept: bool = False


@lru_cache(maxsize=1)
def recognizer_for(settings: Settings) -> Recognizer:
    """The recognizer of this process."""
    return Recognizer(
        settings.model, settings.device, settings.averaging, settings.min_confidence, threads=settings.threads
    )


def work(task: Task, settings: Settings) -> Outcome:
    """Do one task. Whatever goes wrong with this image is told in its record, never raised."""
    start = time.perf_counter()
    record = Record(
        path=task.path,
        series=task.source.series,
        kind=task.source.kind,
        geometry=settings.geometry if settings.correcting else None,
        target=int(settings.target) if settings.correcting else None,
        version=__version__,
    )
    thumbnails: Thumbnails | None = None
    kept = False
    try:
        if task.error is not None:
            record = _failed(record, task.error)
        elif task.source.left_alone is not None:
            record = replace(record, decision="not_short_axis", note=f"left alone: {task.source.left_alone}")
        else:
            record, thumbnails, kept = _work(task, settings, record)
    except CMROrientError as error:
        record = _failed(record, _told(error, task))
    except MemoryError:
        record = _failed(record, "there is not enough memory for it")
    except Exception as error:  # one image must not stop the others, whatever it is made of
        record = _failed(record, _unexpected(error))
    if not kept:
        record = replace(record, seconds=round(time.perf_counter() - start, 3))
    return Outcome(record, thumbnails, kept)


def _work(task: Task, settings: Settings, record: Record) -> tuple[Record, Thumbnails | None, bool]:
    model = None if task.override is not None else recognizer_for(settings).model
    record = replace(
        record,
        model=None if model is None else f"{model.name}@{model.checksum[:12]}",
        settings=settings.digest(model, task.override),
        sha256_in=checksum(task.source.files),
        masks=[_mask_entry(mask) for mask in task.masks],
    )
    if task.prior is not None and not settings.overwrite and is_done(task.prior, record, task):
        return task.prior, _pictures_again(task, settings, task.prior), True
    volume = read_source(task.source, settings.slice_axis)
    masks = [read_source(mask.source, volume.slice_axis) for mask in task.masks]
    for mask, pair in zip(masks, task.masks, strict=True):
        check_fit(mask, volume, pair.source.path)
    recognition, record = _recognized(task, settings, volume, record)
    if not settings.correcting:
        return record, _pictures(settings, volume, None), False
    if not recognition.acted_on or (recognition.conflict and settings.skip_conflicts):
        reason = "conflict of pixels and header: skipped" if recognition.acted_on else None
        return replace(record, note=_joined(reason, record.note)), _pictures(settings, volume, None), False
    correction = plan(recognition.orientation, recognition.header_orientation, settings.geometry, settings.target)
    corrected = correction.apply(volume)
    record = replace(
        record,
        geometry_class=int(correction.geometry_class),
        grid_out=record.grid_in if correction.changes_nothing else corrected.stored()[1].to_json(),
        note=_joined("copied: nothing to change" if correction.changes_nothing else None, record.note),
    )
    if task.output is not None:
        record = _written(task, correction, volume, masks, record)
    return record, _pictures(settings, volume, corrected), False


def _recognized(task: Task, settings: Settings, volume: Volume, record: Record) -> tuple[Recognition, Record]:
    if task.override is None:
        recognition = recognizer_for(settings).recognize(volume)
    elif task.override.orientation is not None:
        recognition = decided(volume, task.override.orientation)
    else:
        left_alone = task.override.decision or "uncertain"
        recognition = replace(decided(volume, 0), decision=left_alone, conflict=False)
    undecided_by_user = task.override is not None and task.override.orientation is None
    network = None if task.override is not None else f"{int(recognition.orientation)} {recognition.decision}"
    header = recognition.header_orientation
    return recognition, replace(
        record,
        orientation=None if undecided_by_user else int(recognition.orientation),
        header_orientation=None if header is None else int(header),
        header_state=recognition.header_state,
        conflict=bool(recognition.conflict),
        mirrored=bool(recognition.mirrored) and not undecided_by_user,
        confidence=round(float(recognition.confidence), 6),
        decision=recognition.decision,
        decided_by=recognition.decided_by,
        votes=[int(v) for v in recognition.votes],
        slices=len(recognition.slice_indices),
        agreement=round(float(np.mean(recognition.agreement)), 6) if len(recognition.agreement) else None,
        slice_votes=[int(k) for k in recognition.slice_probabilities.argmax(axis=1)],
        words="Left alone, as the user decided." if undecided_by_user else words(recognition),
        network=network,
        slice_axis=volume.slice_axis,
        grid_in=volume.stored()[1].to_json(),
        phases=volume.array.shape[0] if volume.array.ndim == 4 else 1,
        has_geometry=volume.has_geometry,
        scanner=volume.metadata.scanner or None,
        note=_joined(*volume.metadata.notes),
    )


def _written(task: Task, correction: Correction, volume: Volume, masks: list[Volume], record: Record) -> Record:
    """Write the masks, then the image, so that an image that is there has its masks beside it."""
    if task.output is None or task.destination is None:
        raise ValueError("this task writes nothing")
    entries = []
    for mask, pair, entry in zip(masks, task.masks, record.masks, strict=True):
        written = _put(pair.source, mask, correction, task.output / pair.name)
        names = sorted(relative(path, task.output) for path in written)
        entries.append({**entry, "output": pair.name, "sha256_out": checksum(written), "files": names})
    written = _put(task.source, volume, correction, task.destination)
    grid = record.grid_out
    if not volume.has_geometry and task.source.kind != "dicom":
        # The file still says nothing of its place: its grid is the one that readers make up for it.
        grid = read(task.destination, volume.slice_axis).stored()[1].to_json()
    return replace(
        record,
        grid_out=grid,
        masks=entries,
        output=relative(task.destination, task.output),
        files=sorted(relative(path, task.output) for path in written),
        sha256_out=checksum(written),
    )


def _put(source: ImageFiles, volume: Volume, correction: Correction, destination: Path) -> list[Path]:
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


def _mask_entry(mask: MaskPair) -> dict[str, Any]:
    return {
        "path": mask.name,
        "output": None,
        "sha256_in": checksum(mask.source.files),
        "sha256_out": None,
        "files": [],
    }


def outputs_of(record: Record) -> list[tuple[list[str], str | None]]:
    """The names and the checksum of what was written for an image and for each of its masks."""
    return [(record.files, record.sha256_out), *((mask["files"], mask["sha256_out"]) for mask in record.masks)]


def is_done(prior: Record, now: Record, task: Task) -> bool:
    """Whether an earlier record still holds: same files, same settings, outputs as they were written."""
    if prior.error is not None or (prior.sha256_in, prior.settings) != (now.sha256_in, now.settings):
        return False
    if [(m["path"], m["sha256_in"]) for m in prior.masks] != [(m["path"], m["sha256_in"]) for m in now.masks]:
        return False
    if task.output is None or prior.output is None:
        return prior.output is None
    for names, digest in outputs_of(prior):
        paths = [task.output / name for name in names]
        if not all(path.is_file() for path in paths) or checksum(paths) != digest:
            return False
    return True


def copy(source: Path, target: Path) -> Path:
    """Copy one file's bytes, whole or not at all."""
    with source.open("rb") as original, replacing([target]) as [stream]:
        shutil.copyfileobj(original, stream, _PIECE)
    return target


def checksum(paths: Iterable[Path]) -> str:
    """SHA-256 of a file's bytes; of several files, of the lines "checksum  name" sorted by name.

    Raises ``CMROrientError`` where one cannot be read.
    """
    digests = []
    for path in paths:
        digest = hashlib.sha256()
        with voxels.reading(path) as stream:
            while piece := stream.read(_PIECE):
                digest.update(piece)
        digests.append((path.name, digest.hexdigest()))
    if len(digests) == 1:
        return digests[0][1]
    lines = "".join(f"{value}  {name}\n" for name, value in sorted(digests))
    return hashlib.sha256(lines.encode("utf-8", errors="surrogateescape")).hexdigest()


def _pictures(settings: Settings, volume: Volume, corrected: Volume | None) -> Thumbnails | None:
    if not settings.pictures:
        return None
    from .thumbnails import thumbnails_of

    return thumbnails_of(volume, corrected)


def _pictures_again(task: Task, settings: Settings, prior: Record) -> Thumbnails | None:
    if not settings.pictures or task.has_picture:
        return None
    volume = read_source(task.source, settings.slice_axis)
    corrected = None
    if prior.output is not None and prior.orientation is not None:
        corrected = plan(prior.orientation, prior.header_orientation, settings.geometry, settings.target).apply(volume)
    return _pictures(settings, volume, corrected)


def _joined(*parts: str | None) -> str | None:
    return "; ".join(part for part in parts if part) or None


def _failed(record: Record, message: str) -> Record:
    """A record of an error: nothing of what may have been written before it counts."""
    masks = [{**entry, "output": None, "sha256_out": None, "files": []} for entry in record.masks]
    return replace(record, error=" ".join(message.split()), masks=masks)


def _told(error: CMROrientError, task: Task) -> str:
    """The message; the file's name goes with it where it is not the image itself."""
    if error.path is None or Path(error.path) == task.source.path:
        return error.message
    return f"{Path(error.path).name}: {error.message}"


def _unexpected(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    return f"unexpected {type(error).__name__}: {error}{where}"


def in_slicer() -> bool:
    """Whether this is Slicer itself, whose interpreter cannot start worker processes."""
    return hasattr(sys.modules.get("slicer"), "app")
