"""What networks are shown to judge early looks: stacks they have not seen, made harder, and what is no short axis."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from CMROrientLib.orientation import Orientation
from CMROrientLib.progress import Progress
from CMROrientLib.recognition.inference import Inference
from CMROrientLib.recognition.preprocessing import is_blank
from CMROrientLib.training.cases import Case
from CMROrientLib.training.evaluation.scoring import counts
from CMROrientLib.training.negatives.families import MADE_VIEWS
from CMROrientLib.training.negatives.family import pictures_of
from CMROrientLib.training.negatives.real_views import files_of_views, planes_of
from CMROrientLib.training.negatives.reslices import read_stack
from CMROrientLib.training.slices import read_mask, read_slices

from ..other_pictures.families import TEST_FAMILIES
from ..stress import CURVES, expected_class
from .seen import SeenStack, Stack, see, see_in_all_classes

#: ``kind`` of volumes as they are, and how that of changed ones and of what is no short axis begins.
VOLUME, HARDER, OTHER = "volume", "harder: ", "other: "
#: The changes of ``stress`` that stacks are made harder by, and their levels.
CHANGES = {
    "crop, share of the field of view": (0.7, 0.6, 0.5),
    "extra rotation, degrees": (-30.0, -20.0, 20.0, 30.0),
    "resolution, pixels on the longer side": (64, 48),
    "noise, share of the 99th percentile": (0.1, 0.2),
    "inverted contrast": (1.0,),
}
#: Changed stacks come from at most so many volumes.
CHANGED_VOLUMES = 16
#: Stacks of so many pictures of one family, so many of each.
PICTURES, STACKS_OF_FAMILY = 5, 10
#: Real views that are no short axis, below the data folder.
REAL_VIEWS = ("long_axis", "dicom/pig/long_axis")


def stack_of(case: Case) -> Stack | None:
    """The slices of a case that are not blank; None where all are."""
    slices, spacing = read_slices(case)
    shown = np.array([n for n, plane in enumerate(slices) if not is_blank(plane)], int)
    if not len(shown):
        return None
    images = [slices[n] for n in shown]
    return Stack(VOLUME, case.subject, images, shown, spacing, Orientation.IDENTITY, counts(case), case.base_first)


def show(inference: Inference, cases: Sequence[Case], data: Path, progress: Progress | None = None) -> list[SeenStack]:
    """Show a network volumes in all classes, some of them changed, and stacks of other pictures."""
    found: list[SeenStack] = []
    for number, case in enumerate(cases):
        stack = stack_of(case)
        if stack is not None:
            found += see_in_all_classes(inference, stack)
        if progress is not None:
            progress(number + 1, len(cases))
    chosen = [cases[int(n)] for n in np.linspace(0, len(cases) - 1, min(CHANGED_VOLUMES, len(cases))).round()]
    found += [see(inference, stack) for stack in changed(chosen)]
    found += [see(inference, stack) for stack in others(chosen, data)]
    return found


def changed(cases: Sequence[Case]) -> Iterator[Stack]:
    """Whole stacks, all slices changed alike, each stored in one class after the other."""
    random = np.random.default_rng(0)
    number = 0
    for case in cases:
        stack = stack_of(case)
        if stack is None:
            continue
        mask = read_mask(case)
        known = mask is not None and mask.any()
        size = np.array(stack.images[0].shape)
        row, column = np.argwhere(np.asarray(mask).any(0)).mean(0) if known else (size - 1) / 2
        for curve, levels in CHANGES.items():
            for level in levels:
                change = CURVES[curve][level]
                truth = expected_class(case, change.rotation)
                if truth is None:
                    continue
                images: list[NDArray[np.float32]] = [
                    truth.inverse.apply(change.apply(np.asarray(image, np.float32), (row, column), random))
                    for image in stack.images
                ]
                spacing = stack.spacing[::-1] if truth.exchanges_axes else stack.spacing
                made = Stack(
                    f"{HARDER}{curve.split(',')[0]} {level:g}",
                    stack.subject,
                    images,
                    stack.numbers,
                    spacing,
                    base_first=stack.base_first,
                )
                yield made.turned(Orientation(number % len(Orientation)))
                number += 1


def others(cases: Sequence[Case], data: Path) -> Iterator[Stack]:
    """Stacks of what is no short axis: pictures of one family, real views of one file."""
    stacks = [read_stack(case) for case in cases]
    families = [*TEST_FAMILIES.values(), *MADE_VIEWS.values()]
    for family in families:
        try:
            drawn = [picture for _, picture in pictures_of([family], PICTURES * STACKS_OF_FAMILY, 3, stacks)]
        except ValueError:
            # No stack with mask and slice order, or none that is thick enough to be cut.
            continue
        yield from _stacks_of(family.name, [picture for picture in drawn if not is_blank(picture)])
    for path in files_of_views(data, REAL_VIEWS):
        planes = [plane for plane in planes_of(path) if not is_blank(plane)]
        # Nearly all of them are one plane: shown again, it is a cine's.
        yield from _stacks_of("real view", [planes[n % len(planes)] for n in range(PICTURES)] if planes else [])


def _stacks_of(name: str, pictures: Sequence[NDArray[np.float32]]) -> Iterator[Stack]:
    for start in range(0, len(pictures) - PICTURES + 1, PICTURES):
        yield Stack(f"{OTHER}{name}", "", pictures[start : start + PICTURES], np.arange(PICTURES))
