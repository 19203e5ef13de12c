"""From a node to a decision, and from a decision to new nodes: what the module's logic calls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..correction import Correction, GeometryMode, plan
from ..errors import CMROrientError
from ..i18n import _
from ..orientation import Orientation
from ..recognition.recognizer import decided
from ..recognition.result import Recognition
from ..recognition.together import Look, decide_together, share_of_slices
from ..recognition.wording import words
from ..volume import Volume
from .groups import Group, group_of
from .input import SceneImage, images_of_scene, scene_image, unchanged, volume_of
from .node_types import Node, ShownNode, TableNode, VolumeNode
from .nodes import right_handed
from .output import Written, slices_were_reversed, write
from .provenance import Provenance
from .rollback import scene_as_it_was, volume_as_it_was
from .votes import votes_table

if TYPE_CHECKING:
    from ..progress import Progress
    from ..recognition.cards.model_files import ModelFiles
    from ..recognition.recognizer import Recognizer


@dataclass(frozen=True, eq=False)
class Examined:
    """An image of the scene and what was found in it.

    Parameters
    ----------
    image, volume:
        The image as stored.
    recognition:
        What the network found, or what a person decided without one.
    model:
        The network's files, None where none was asked.
    group:
        The images that it was decided on together with, itself among them; None where it was alone.
    """

    image: SceneImage
    volume: Volume
    recognition: Recognition
    model: ModelFiles | None = None
    group: Group | None = None

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
class Corrected(Written):
    """What one correction made.

    Parameters
    ----------
    recognition, correction:
        What was acted on, and what was done.
    table:
        The votes, a row for each slice; None where no network was asked.
    """

    recognition: Recognition
    correction: Correction
    table: TableNode | None

    @property
    def words(self) -> str:
        """The result in a sentence or two."""
        said = words(self.recognition)
        return f"{said} {slices_were_reversed()}" if self.slices_reversed else said


def examine(
    node: Node | None, recognizer: Recognizer, slice_axis: int | None = None, progress: Progress | None = None
) -> Examined:
    """Find out how a volume, or a cine with all its phases, is stored.

    The images of its study that lie on its grid, or make one stack with it, are looked at, too: one decision
    for all of them. One of them that cannot be looked at has no part in it.
    """
    image = scene_image(node)
    # An image that was removed meanwhile is in no scene, and so in no group.
    alone = slice_axis is not None or not image.scene
    group = None if alone else group_of(image)
    if group is None:
        volume = volume_of(image, slice_axis, progress)
        return Examined(image, volume, recognizer.recognize(volume, progress), recognizer.model)
    found, left = examine_group(group, recognizer, progress)
    own = image.main.GetID()
    for examined in found:
        if examined.image.main.GetID() == own:
            return examined
    raise next(error for other, error in left if other.main.GetID() == own)


def examine_group(
    group: Group, recognizer: Recognizer, progress: Progress | None = None
) -> tuple[list[Examined], list[tuple[SceneImage, CMROrientError]]]:
    """Find out how images that belong together are stored: one decision for all that can be looked at.

    Returns
    -------
    What was found, and what could not be looked at with its error.
    """
    looks: list[tuple[SceneImage, Volume, Look]] = []
    left: list[tuple[SceneImage, CMROrientError]] = []
    count = len(group.images)
    # The progress may let people remove images: all of them, where a group waits for its turn.
    places = _places(group) if group.kind == "stack" and group.images else {}
    for number, image in enumerate(group.images):

        def slice_done(_done: int, _total: int, number: int = number) -> None:
            if progress is not None:
                progress(number, count)

        try:
            volume = volume_of(image, None, slice_done)
            looks.append((image, volume, recognizer.look(volume, slice_done, share_of_slices(count))))
        except CMROrientError as error:
            left.append((image, error))
    numbers = [(places[image.main.GetID()],) for image, _volume, _look in looks] if places else []
    results = decide_together(recognizer, [look for _image, _volume, look in looks], numbers) if looks else []
    there = Group(group.kind, tuple(image for image, _volume, _look in looks)) if len(looks) > 1 else None
    found = [
        Examined(image, volume, result, recognizer.model, there)
        for (image, volume, _look), result in zip(looks, results, strict=True)
    ]
    return found, left


def _places(group: Group) -> dict[str, int]:
    """Where images stand in their scene, by their nodes' IDs: the order in which people see them listed."""
    listed = [image.main.GetID() for image in images_of_scene(group.images[0].scene)]
    return {own: listed.index(own) if own in listed else len(listed) for own in (i.main.GetID() for i in group.images)}


def decide(
    node: Node | None, orientation: Orientation | int, slice_axis: int | None = None, progress: Progress | None = None
) -> Examined:
    """A person's decision, without a network; ``progress`` as for ``volume_of``."""
    image = scene_image(node)
    volume = volume_of(image, slice_axis, progress)
    return Examined(image, volume, decided(volume, orientation))


def planned(
    examined: Examined, result: Recognition, geometry: GeometryMode, target: Orientation | int = 0
) -> Correction:
    """What would be done to pixels and directions."""
    header = examined.volume.header_orientation(result.orientation)
    return plan(result.orientation, header, geometry, target)


def writes_a_mirror(result: Recognition, correction: Correction) -> bool:
    """Whether pixels and header differ by a mirror, before the correction or through it."""
    known = result.header_state == "known"
    return result.mirrored or (known and correction.pixels.mirrors != correction.directions.mirrors)


def would_mirror(examined: Examined, geometry: GeometryMode = "auto") -> bool:
    """Whether acting on what was found would write an image that differs from its header by a mirror."""
    result = examined.recognition
    return result.acted_on and writes_a_mirror(result, planned(examined, result, geometry))


def correct(
    examined: Examined,
    result: Recognition,
    geometry: GeometryMode = "auto",
    *,
    target: Orientation | int = Orientation.IDENTITY,
    output: VolumeNode | None = None,
    segmentations: Sequence[ShownNode] = (),
    progress: Progress | None = None,
) -> Corrected:
    """Write the corrected image into the scene; the input stays as it is.

    Parameters
    ----------
    result:
        What to act on: ``examined.recognition``, or what ``examined.decided`` made of a person's class.
    progress:
        As for ``check_unchanged``. A segmentation that is removed meanwhile does not follow.

    Raises
    ------
    CMROrientError
        Where nothing was decided, or something cannot be written. The scene is then as it was.
    """
    scene = examined.image.scene
    examined = check_unchanged(examined, result, progress)
    for node in (examined.image.main, output):
        if node is not None and not (scene and scene.IsNodePresent(node)):
            raise CMROrientError(_("it was removed from the scene meanwhile; choose another one"), node.GetName())
    there = [mask for mask in segmentations if scene.IsNodePresent(mask)]
    with scene_as_it_was(scene), volume_as_it_was(output):
        return write_correction(examined, result, geometry, target=target, output=output, segmentations=there)


def check_unchanged(examined: Examined, result: Recognition, progress: Progress | None = None) -> Examined:
    """What was looked at, as ``unchanged`` gives it; ``CMROrientError`` where it changed, or nothing was decided."""
    if not result.acted_on:
        said = _("{result} Decide yourself: give its orientation, 0 to 7.").format(result=words(result))
        raise CMROrientError(said, examined.image.name)
    return replace(examined, image=unchanged(examined.image, examined.volume, progress))


def write_correction(
    examined: Examined,
    result: Recognition,
    geometry: GeometryMode = "auto",
    *,
    target: Orientation | int = Orientation.IDENTITY,
    output: VolumeNode | None = None,
    segmentations: Sequence[ShownNode] = (),
) -> Corrected:
    """As ``correct`` of what passed ``check_unchanged``, where the caller undoes what fails (``rollback``)."""
    image, volume = examined.image, examined.volume
    correction = planned(examined, result, geometry, target)
    placed = right_handed(correction.apply(volume))
    provenance = Provenance(result, correction, geometry, examined.model)
    made = write(image, volume, placed, provenance, output, segmentations)
    table = votes_table(image.scene, result, image.name) if len(result.slice_indices) else None
    if table is not None:
        made.main.SetNodeReferenceID("CMROrient.votes", table.GetID())
    return Corrected(made.node, made.sequence, made.segmentations, made.slices_reversed, result, correction, table)
