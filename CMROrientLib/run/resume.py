"""What an earlier run left of an image: whether it still holds, and what a person has changed since."""

from __future__ import annotations

import os
from pathlib import Path

from .delivery import Noted
from .parts import MaskFiles, RecordFiles
from .plan import PlannedImage
from .record import Record
from .seen import Seen


def files_now(image: PlannedImage, seen: Seen) -> RecordFiles:
    """The files of an image and its masks as they are now, as its record tells of them."""
    return RecordFiles(
        kind=image.source.kind,
        sha256_in=seen.checksum(image.source.file_texts),
        masks=tuple(MaskFiles(mask.name, seen.checksum(mask.source.file_texts)) for mask in image.masks),
    )


def still_holds(prior: Record, files: RecordFiles, settings: str, output: Path | None, seen: Seen) -> bool:
    """Whether an image need not be done again: same files, same settings, outputs as they were written.

    Parameters
    ----------
    prior:
        What the earlier run recorded.
    files, settings:
        What is read now, and the digest of all else that the result depends on.
    output:
        The output folder; None where nothing is written.
    seen:
        The checksums of the image's files.
    """
    if prior.error is not None or (prior.files.sha256_in, prior.settings) != (files.sha256_in, settings):
        return False
    before, now = ([(mask.path, mask.sha256_in) for mask in some.masks] for some in (prior.files, files))
    if before != now:
        return False
    if output is None or prior.output is None:
        return prior.output is None
    for names, digest in prior.files.outputs:
        # Text, many thousand times; Windows takes no "/" behind the prefix of long paths.
        paths = [os.path.join(output, *name.split("/")) for name in names]  # noqa: PTH118
        if not all(map(os.path.isfile, paths)) or seen.checksum(paths) != digest:
            return False
    return True


def changed_outputs(record: Record, output: Path, noted: Noted, seen: Seen) -> list[str]:
    """The files of a record that are there and not, byte for byte, what a run wrote.

    Parameters
    ----------
    noted:
        What runs that were killed had begun to put in place.
    seen:
        The checksums of the image's files.
    """
    changed = []
    for names, digest in record.files.outputs:
        there = [name for name in names if (output / name).exists()]
        if there and (len(there) < len(names) or seen.checksum(output / name for name in names) != digest):
            changed += [name for name in there if not noted.explains(output, [name])]
    return changed
