"""Group DICOM files into the images that are decided on together."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from ...errors import CMROrientError
from ..image_files import ImageFiles, SeriesPlace
from .classify import left_alone
from .frames import arrange, split
from .header import InstanceHeader, read_header


def group(paths: Iterable[Path]) -> list[ImageFiles]:
    """The images in some DICOM files, sorted by path and series.

    A series is one image, however many folders it is spread over, with these exceptions:

    - Where the same instance lies in several folders, each folder holds a copy of its own.
    - A second copy of an instance in one folder is left alone.
    - Files of one series that differ in matrix, type, spacing or plane, and stacks that lie side by
      side, are images of their own. The second has ``#2`` after its series, and so on.

    What is no image to correct comes with the reason in ``left_alone``. A file that cannot be read
    comes as an image of its own; reading it says what is wrong.
    """
    images: dict[tuple[str, ...], list[InstanceHeader]] = defaultdict(list)
    others: dict[tuple[str, str], list[Path]] = defaultdict(list)
    sources: list[ImageFiles] = []
    for path in sorted(set(paths)):
        try:
            header = read_header(path)
        except CMROrientError:
            sources.append(_source([path], None))
            continue
        reason = left_alone(header)
        if reason is not None:
            others[_key(header)[0], reason].append(path)
        else:
            images[_key(header)].append(header)
    for headers in images.values():
        for series in _by_copy(headers):
            originals, copies = _without_copies(series)
            sources += [
                replace(_source([h.path for h in stack], stack[0].series), place=_place(stack))
                for stack in split(originals)
            ]
            sources += [_source([path], series[0].series, f"copy of {name}") for path, name in copies]
    sources += [_source(files, key or None, reason) for (key, reason), files in others.items()]
    return _numbered(sources)


def _key(header: InstanceHeader) -> tuple[str, ...]:
    # Files without a series belong together where they lie together.
    return (header.series,) if header.series else ("", str(header.path.parent))


def _by_copy(headers: Sequence[InstanceHeader]) -> list[list[InstanceHeader]]:
    """A series over several folders is one, unless an instance lies in two of them."""
    folders: dict[str, set[Path]] = defaultdict(set)
    for header in headers:
        if header.instance:
            folders[header.instance].add(header.path.parent)
    if all(len(found) == 1 for found in folders.values()):
        return [list(headers)]
    copies: dict[Path, list[InstanceHeader]] = defaultdict(list)
    for header in headers:
        copies[header.path.parent].append(header)
    return list(copies.values())


def _without_copies(headers: Sequence[InstanceHeader]) -> tuple[list[InstanceHeader], list[tuple[Path, str]]]:
    """The instances, and the (path, name of the first) of each that is there again."""
    originals: list[InstanceHeader] = []
    copies: list[tuple[Path, str]] = []
    known: dict[str, list[InstanceHeader]] = defaultdict(list)
    for header in headers:
        # Careless tools give all slices one UID: only the same slice again is a copy.
        alike = [first for first in known[header.instance] if replace(first, path=header.path) == header]
        if header.instance and alike:
            copies.append((header.path, alike[0].path.name))
        else:
            known[header.instance].append(header)
            originals.append(header)
    return originals, copies


def _source(files: Sequence[Path], series: str | None, reason: str | None = None) -> ImageFiles:
    path = files[0] if len(files) == 1 else Path(os.path.commonpath([file.parent for file in files]))
    return ImageFiles(str(path), tuple(map(str, files)), "dicom", series, reason)


def _place(stack: Sequence[InstanceHeader]) -> SeriesPlace | None:
    """None where the headers contradict themselves: reading tells what is wrong."""
    try:
        layout = arrange(stack)
    except (CMROrientError, ValueError):
        return None
    number = (stack[0].series_number, min(frame.number[0] for header in stack for frame in header.frames))
    return SeriesPlace(stack[0].patient, stack[0].study, layout.grid, layout.has_geometry, number)


def _numbered(sources: list[ImageFiles]) -> list[ImageFiles]:
    """Sorted, each with a (path, series) of its own; images come before what is left alone."""
    ordered = sorted(sources, key=lambda s: (s.path, s.series or "", s.left_alone is not None, s.left_alone, s.files))
    seen: Counter[tuple[Path, str | None]] = Counter()
    named = []
    for source in ordered:
        seen[source.path, source.series] += 1
        n = seen[source.path, source.series]
        named.append(source if n == 1 else replace(source, series=f"{source.series or ''}#{n}"))
    return named
