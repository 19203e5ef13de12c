"""What a run over files and folders is told."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from ..correction import GEOMETRY_MODES, WANTED_ORDERS, GeometryMode, WantedOrder
from ..errors import UsageError
from ..io import suffix_of
from ..io.paths import long_path
from ..orientation import Orientation
from ..recognition.recognizer import check_looks, check_min_confidence
from ..recognition.result import Looks
from .overrides import Override

if TYPE_CHECKING:
    from ..recognition.cards.model_files import ModelFiles

Companions = Literal["auto", "none"]
COMPANIONS: tuple[Companions, ...] = get_args(Companions)

#: One or several files and folders, as people give them.
Inputs = Sequence[str | os.PathLike[str]] | str | os.PathLike[str]


_CASE = "{case}"


@dataclass(frozen=True)
class NamePattern:
    """How people write names of images and of their label maps: ``{case}_0000={case}``.

    Raises UsageError where it is no such pattern.
    """

    text: str

    def __post_init__(self) -> None:
        image, equals, label = self.text.partition("=")
        right = equals and image and label and self.text.count("=") == 1
        if not right or "/" in self.text or "\\" in self.text or image.count(_CASE) != 1 or label.count(_CASE) != 1:
            raise UsageError(
                f"{self.text!r} is no pair of names; give those of an image and of its mask without the format, such "
                "as {case}_0000={case}"
            )

    def label_of(self, image: str) -> str | None:
        """The name of an image's label map; None where the image's name is another."""
        before, after = self.text.partition("=")[0].split(_CASE)
        found = re.fullmatch(f"{re.escape(before)}(.+){re.escape(after)}", image)
        return None if found is None else self.text.partition("=")[2].replace(_CASE, found[1])


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """Everything that a run is told: made once, by the command line or by a call, and handed on whole.

    Values are brought to their types here (a path may be given as text, a class as a number, a
    list for a tuple), and what no run can use is refused here.

    Parameters
    ----------
    inputs:
        One or more files and folders.
    output:
        The output folder; it must not lie inside an input, but where the walk leaves it out (below the
        ``derivatives`` of a BIDS data set), nor an input inside it. None where images are only recognized.
    model, device, averaging, min_confidence, looks:
        See ``Recognizer``.
    geometry, target:
        See ``correction.plan``; a class may be given by its number or its short name.
    slice_order:
        See ``correction.with_slice_order``; ``base-first`` may be given for ``base_first``.
    skip_conflicts:
        Leave images alone whose header tells another story than their pixels.
    masks:
        Endings of mask names, such as ``_seg``: ``case_seg.nii.gz`` gets what ``case.nii.gz`` gets.
        Afterwards the longest come first.
    companions:
        ``auto`` finds label maps by the layout of the data set or by their content too, leaves those without
        an image alone, and decides together about images that belong together; ``none`` knows ``masks``,
        ``masks_in`` and ``mask_names`` only.
    masks_in:
        Names of folders in which masks lie, beside one of the folders of their image or in it, such as
        ``labelsTr``. A mask has the name of its image, or the one that ``mask_names`` tells.
    mask_names:
        Names of images and of their masks, ``{case}_0000={case}``, without the format.
    slice_axis:
        The stored axis 0, 1 or 2 that slices lie along; found where None.
    orientation:
        The class of all images, decided by the user; no network is run.
    decisions:
        A CSV with the user's decisions about single images, several of them, or a folder of them; see
        ``overrides``.
    reset_decisions:
        Take back what a person decided in earlier runs into this folder.
    dry_run:
        Write nothing at all.
    jobs:
        Worker processes.
    dask:
        Address of a Dask scheduler to work on.
    overwrite:
        Do everything anew, and replace files that are in the way or were changed since a run wrote them.
    verify:
        Read every file of earlier runs, also where its size and times say that it is as it was.
    pictures:
        Draw pictures of what is only recognized, too.
    include_identifiers:
        Note in the records what headers tell of the person and the examination.
    command:
        What was typed, for the report.

    Raises
    ------
    UsageError
        For a value that no run can use, and for two that contradict each other.
    """

    inputs: tuple[Path, ...]
    output: Path | None = None
    model: str | Path = "universal"
    device: str = "auto"
    averaging: bool = True
    min_confidence: float | None = None
    looks: Looks = "auto"
    geometry: GeometryMode = "auto"
    target: Orientation = Orientation.IDENTITY
    slice_order: WantedOrder = "keep"
    skip_conflicts: bool = False
    masks: tuple[str, ...] = ()
    companions: Companions = "auto"
    masks_in: tuple[str, ...] = ()
    mask_names: tuple[NamePattern, ...] = ()
    slice_axis: int | None = None
    orientation: Orientation | None = None
    decisions: tuple[Path, ...] = ()
    reset_decisions: bool = False
    dry_run: bool = False
    jobs: int = 1
    dask: str | None = None
    overwrite: bool = False
    verify: bool = False
    pictures: bool = False
    include_identifiers: bool = False
    command: str = ""

    def __post_init__(self) -> None:
        self._set("inputs", _paths(self.inputs))
        self._set("output", None if self.output is None else long_path(Path(self.output)))
        self._set("target", _orientation(self.target, "target"))
        self._set("orientation", None if self.orientation is None else _orientation(self.orientation, "orientation"))
        self._set("decisions", _tables(self.decisions))
        self._set("masks", _endings(self.masks))
        self._set("masks_in", _folders(self.masks_in))
        self._set("mask_names", _patterns(self.mask_names))
        if not self.inputs:
            raise UsageError("give at least one file or folder")
        if self.geometry not in GEOMETRY_MODES:
            raise UsageError(f"geometry is one of {', '.join(GEOMETRY_MODES)}, not {self.geometry!r}")
        self._set("slice_order", self.slice_order.replace("-", "_"))
        if self.slice_order not in WANTED_ORDERS:
            raise UsageError(f"the slice order is one of {', '.join(WANTED_ORDERS)}, not {self.slice_order!r}")
        if self.companions not in COMPANIONS:
            raise UsageError(f"companions is one of {', '.join(COMPANIONS)}, not {self.companions!r}")
        if self.slice_axis not in (None, 0, 1, 2):
            raise UsageError(f"the slice axis is 0, 1 or 2, not {self.slice_axis}")
        if self.jobs < 1:
            raise UsageError(f"the number of jobs is 1 or more, not {self.jobs}")
        if self.dask is not None and self.jobs != 1:
            raise UsageError("give --jobs or --dask, not both: the cluster has its own workers")
        if self.orientation is not None and self.decisions:
            raise UsageError("give an orientation for all images or decisions about single ones, not both")
        check_min_confidence(self.min_confidence)
        check_looks(self.looks)

    @property
    def correcting(self) -> bool:
        """Whether images are corrected, or only recognized."""
        return self.output is not None

    @property
    def writing(self) -> bool:
        """Whether anything is written."""
        return self.output is not None and not self.dry_run

    @property
    def drawing(self) -> bool:
        """Whether pictures are drawn."""
        return self.pictures or self.writing

    def digest(self, model: ModelFiles | None, override: Override | None, group: str | None = None) -> str:
        """A name for everything beside the files that a record depends on.

        It is the same as in version 1.0, so that its output folders are gone on with; early looks, which that did
        not know, change it only where there is a rule for them.

        Parameters
        ----------
        group:
            The images that it is decided on with, by what tells them from others.
        """
        early = None if model is None or self.looks == "full" or not self.averaging else model.early
        decided = None if override is None else [override.orientation, override.decision]
        parts = [
            None if model is None else model.fingerprint,
            self.averaging,
            self.min_confidence,
            self.geometry,
            int(self.target),
            self.skip_conflicts,
            self.slice_axis,
            decided,
            *([] if self.slice_order == "keep" else [self.slice_order]),
            *([] if group is None else [["group", group]]),
            # What was noted with them is noted anew without them.
            *(["identifiers"] if self.include_identifiers else []),
            *([] if early is None else [["looks", early]]),
        ]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]

    def _set(self, name: str, value: object) -> None:
        # The way that dataclasses offer to change a frozen one while it is made.
        object.__setattr__(self, name, value)


def _paths(given: Inputs) -> tuple[Path, ...]:
    several = [given] if isinstance(given, (str, os.PathLike)) else given
    return tuple(long_path(Path(entry)) for entry in several)


def _tables(given: Sequence[str | os.PathLike[str]] | str | os.PathLike[str] | None) -> tuple[Path, ...]:
    several = [] if given is None else [given] if isinstance(given, (str, os.PathLike)) else given
    return tuple(Path(entry) for entry in several)


def _orientation(value: Orientation | int | str, what: str) -> Orientation:
    try:
        return Orientation.of(value)
    except ValueError as error:
        raise UsageError(f"the {what} is a class from 0 to 7 or its name, {error}") from None


def _folders(names: Sequence[str]) -> tuple[str, ...]:
    for name in names:
        if not name or "/" in name or "\\" in name or name in (".", ".."):
            raise UsageError(f"{name!r} is no name of a folder of masks; give something like labelsTr")
    return tuple(dict.fromkeys(names))


def _patterns(given: Sequence[NamePattern | str] | str) -> tuple[NamePattern, ...]:
    several = [given] if isinstance(given, str) else given
    return tuple(entry if isinstance(entry, NamePattern) else NamePattern(entry) for entry in several)


def _endings(endings: Sequence[str]) -> tuple[str, ...]:
    """Longest first, so that ``_lv_seg`` is tried before ``_seg``."""
    for ending in endings:
        if not ending or "/" in ending or "\\" in ending:
            raise UsageError(f"{ending!r} is no ending of a mask's name; give something like _seg or _seg,_gt")
        if suffix_of(Path("image" + ending)):
            raise UsageError(f"give the ending of a mask's name without the format: _seg, not {ending}")
    return tuple(sorted(set(endings), key=lambda e: (-len(e), e)))
