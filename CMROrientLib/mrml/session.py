"""From a node to a decision, and from a decision to new nodes: what the module's logic calls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..correction import Correction, GeometryMode, plan
from ..errors import CMROrientError
from ..orientation import Orientation
from ..recognition.recognizer import decided
from ..recognition.result import Recognition
from ..recognition.wording import words
from ..volume import Volume
from .input import Source, source_of, sources_of_scene, volume_from_source
from .nodes import right_handed
from .output import REVERSED, Provenance, scene_as_it_was, votes_table, write

if TYPE_CHECKING:
    from ..progress import Progress
    from ..recognition.model_files import ModelFiles
    from ..recognition.recognizer import Recognizer


@dataclass(frozen=True, eq=False)
class Looked:
    """An image of the scene and what was found in it.

    Parameters
    ----------
    source, volume:
        The image as stored.
    recognition:
        What the network found.
    model:
        The model that looked, None where a person decided without one.
    """

    source: Source
    volume: Volume
    recognition: Recognition
    model: ModelFiles | None = None

    def decided(self, orientation: Orientation | int | None) -> Recognition:
        """What is acted on: the person's class where there is one, else the network's."""
        if orientation is None or (self.recognition.acted_on and orientation == self.recognition.orientation):
            return self.recognition
        result = decided(self.volume, orientation)
        # The network's votes stay on record beside the person's class.
        seen = self.recognition
        return replace(
            result,
            votes=seen.votes,
            slice_probabilities=seen.slice_probabilities,
            slice_indices=seen.slice_indices,
            agreement=seen.agreement,
        )


@dataclass(frozen=True, eq=False)
class Corrected:
    """What one correction made.

    Parameters
    ----------
    node:
        The new volume; the new sequence's proxy for a cine (None where it has no browser).
    sequence:
        The new sequence of a cine, else None.
    table:
        The votes, a row for each slice; None where no network looked.
    segmentations:
        What followed.
    recognition, correction:
        What was acted on, and what was done.
    slices_reversed:
        Whether slice order, slice direction and origin were reversed to stay right-handed.
    """

    node: Any
    sequence: Any
    table: Any
    segmentations: tuple[Any, ...]
    recognition: Recognition
    correction: Correction
    slices_reversed: bool

    @property
    def words(self) -> str:
        """The result in a sentence or two."""
        said = words(self.recognition)
        return f"{said} {REVERSED}" if self.slices_reversed else said


def look(node: Any, recognizer: Recognizer, slice_axis: int | None = None, progress: Progress | None = None) -> Looked:
    """Find out how a volume, or a cine with all its phases, is stored."""
    source = source_of(node)
    volume = volume_from_source(source, slice_axis)
    return Looked(source, volume, recognizer.recognize(volume, progress), recognizer.model)


def look_by_person(node: Any, orientation: Orientation | int, slice_axis: int | None = None) -> Looked:
    """A person's decision, without a network."""
    source = source_of(node)
    volume = volume_from_source(source, slice_axis)
    return Looked(source, volume, decided(volume, orientation))


def look_at_all(
    scene: Any, recognizer: Recognizer, progress: Progress | None = None
) -> tuple[list[Looked], list[tuple[str, str]]]:
    """Look at every image of a scene.

    Parameters
    ----------
    progress:
        Called with (images done, images to do) after every few slices; what it raises ends the work.

    Returns
    -------
    What was looked at, and (name, why not) of what was left alone.
    """
    found, left = [], []
    sources = sources_of_scene(scene)
    for number, source in enumerate(sources):

        def slice_done(_done: int, _total: int, number: int = number) -> None:
            if progress is not None:
                progress(number, len(sources))

        try:
            found.append(look(source.sequence or source.node, recognizer, progress=slice_done))
        except CMROrientError as error:
            left.append((source.name, error.message))
    return found, left


def correct_all(
    scene: Any,
    found: Sequence[Looked],
    geometry: GeometryMode = "auto",
    write_mirrored: bool = False,
    progress: Progress | None = None,
) -> tuple[list[Corrected], list[tuple[str, str]]]:
    """Correct what was found; what is undecided, in order already or mirrored is left alone.

    Returns
    -------
    What was written, and (name, why not) of the rest. An error or a cancel leaves the scene as it was.
    """
    made: list[Corrected] = []
    left: list[tuple[str, str]] = []
    with scene_as_it_was(scene):
        for number, looked in enumerate(found):
            if progress is not None:
                progress(number, len(found))
            result, name = looked.recognition, looked.source.name
            correction = planned(looked, result, geometry)
            if not result.acted_on:
                left.append((name, words(result)))
            elif correction.changes_nothing:
                left.append((name, "it is in standard orientation already."))
            elif not write_mirrored and writes_a_mirror(result, correction):
                left.append((name, "pixels and header differ by a mirror."))
            else:
                made.append(correct_looked(looked, result, geometry))
    return made, left


def planned(looked: Looked, result: Recognition, geometry: GeometryMode, target: Orientation | int = 0) -> Correction:
    """What would be done to pixels and directions."""
    header = looked.volume.header_orientation(result.orientation)
    return plan(result.orientation, header, geometry, target)


def writes_a_mirror(result: Recognition, correction: Correction) -> bool:
    """Whether pixels and header differ by a mirror, before the correction or through it."""
    known = result.header_state == "known"
    return result.mirrored or (known and correction.pixels.mirrors != correction.directions.mirrors)


def would_mirror(looked: Looked, geometry: GeometryMode = "auto") -> bool:
    """Whether acting on what was found would write an image that differs from its header by a mirror."""
    result = looked.recognition
    return result.acted_on and writes_a_mirror(result, planned(looked, result, geometry))


def correct_looked(
    looked: Looked,
    result: Recognition,
    geometry: GeometryMode = "auto",
    *,
    target: Orientation | int = Orientation.IDENTITY,
    output: Any = None,
    segmentations: Sequence[Any] = (),
) -> Corrected:
    """Write the corrected image into the scene; the input stays as it is.

    Parameters
    ----------
    result:
        What to act on: ``looked.recognition``, or what ``looked.decided`` made of a person's class.

    Raises
    ------
    CMROrientError
        Where nothing was decided, or something cannot be written. The scene is then as it was.
    """
    if not result.acted_on:
        raise CMROrientError(f"{words(result)} Decide yourself: give its orientation, 0 to 7.", looked.source.name)
    current = volume_from_source(looked.source, looked.volume.slice_axis)
    if current.grid != looked.volume.grid or not np.array_equal(current.array, looked.volume.array, equal_nan=True):
        raise CMROrientError("the image has changed since it was looked at; press Recognize again", looked.source.name)
    correction = planned(looked, result, geometry, target)
    placed = right_handed(correction.apply(looked.volume))
    provenance = Provenance(result, correction, geometry, looked.model)
    scene = (looked.source.sequence or looked.source.node).GetScene()
    with scene_as_it_was(scene):
        made = write(looked.source, looked.volume, placed, provenance, output, segmentations)
        table = votes_table(scene, result, looked.source.name) if len(result.slice_indices) else None
        if table is not None:
            (made.sequence or made.node).SetNodeReferenceID("CMROrient.votes", table.GetID())
    return Corrected(made.node, made.sequence, table, made.segmentations, result, correction, made.slices_reversed)
