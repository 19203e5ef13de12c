"""Every image of a scene: looked at one by one, corrected together, with what follows them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..correction import Correction, GeometryMode
from ..i18n import _
from ..recognition.wording import words
from .followers import images_of, masks_of_scene
from .groups import Group, groups_among
from .input import SceneImage, images_of_scene, scene_image
from .node_types import Node, Scene, ShownNode
from .rollback import steps_undone
from .session import Corrected, Examined, check_unchanged, examine_group, planned, write_correction, writes_a_mirror

if TYPE_CHECKING:
    from ..progress import Progress
    from ..recognition.recognizer import Recognizer


def examine_all(
    scene: Scene, recognizer: Recognizer, progress: Progress | None = None
) -> tuple[list[Examined], list[tuple[str, str]]]:
    """Find out how every image of a scene is stored; images that belong together are decided on together.

    Parameters
    ----------
    progress:
        Called with (images done, images to do) after every few slices; what it raises ends the work.

    Returns
    -------
    What was found, and (name, why not) of what was left alone or removed meanwhile.
    """
    found: dict[str, Examined] = {}
    left: list[tuple[str, str]] = []
    images = images_of_scene(scene)
    done = 0
    for group in _in_groups(images):

        def slice_done(in_group: int, _total: int, before: int = done) -> None:
            if progress is not None:
                progress(before + in_group, len(images))

        done += len(group.images)
        # The progress may let people do something.
        there = Group(group.kind, tuple(image for image in group.images if _in(scene, image)))
        left += [(image.name, _removed()) for image in group.images if image not in there.images]
        looked_at, failed = examine_group(there, recognizer, slice_done)
        left += [(image.name, error.message) for image, error in failed]
        for examined in looked_at:
            if _in(scene, examined.image):
                found[examined.image.main.GetID()] = examined
            else:
                left.append((examined.image.name, _removed()))
    order = [image.main.GetID() for image in images]
    return sorted(found.values(), key=lambda examined: order.index(examined.image.main.GetID())), left


def _in_groups(images: Sequence[SceneImage]) -> list[Group]:
    """All images: what belongs together as a group, and each other one as a group of its own."""
    groups = groups_among(images)
    taken = {image.main.GetID() for group in groups for image in group.images}
    return groups + [Group("sequences", (image,)) for image in images if image.main.GetID() not in taken]


def correct_all(
    scene: Scene,
    found: Sequence[Examined],
    geometry: GeometryMode = "auto",
    write_mirrored: bool = False,
    progress: Progress | None = None,
    masks: Sequence[ShownNode] | None = None,
    ticked: tuple[Node, Sequence[ShownNode]] | None = None,
) -> tuple[list[Corrected], list[tuple[str, str]]]:
    """Correct what was found; what is undecided, in order already or mirrored is left alone.

    Parameters
    ----------
    masks:
        The segmentations and label maps that follow, each with the image that it belongs to; those of the scene
        where None.
    progress:
        Called with (images done, images to do) for every image, and every frame of a cine that is read; what it
        raises ends the work.
    ticked:
        An image, and what a person ticked to follow it whether or not it can be seen to belong to it.

    Returns
    -------
    What was written, and (name, why not) of the rest. An error or a cancel takes out what was written; what others
    added meanwhile stays.
    """
    made: list[Corrected] = []
    left: list[tuple[str, str]] = []
    planned_for: dict[str, Correction] = {}
    with steps_undone(scene) as step:
        for examined in found:
            result, name = examined.recognition, examined.image.name
            if not _in(scene, examined.image):
                left.append((name, _removed()))
                continue
            correction = planned(examined, result, geometry)
            if not result.acted_on:
                left.append((name, words(result)))
            elif correction.changes_nothing:
                left.append((name, _("it is in standard orientation already.")))
            elif not write_mirrored and writes_a_mirror(result, correction):
                left.append((name, _("pixels and header differ by a mirror.")))
            else:
                planned_for[examined.image.main.GetID()] = correction
        images = [examined.image for examined in found if _in(scene, examined.image)]
        following, torn = _following(masks_of_scene(scene) if masks is None else masks, images, planned_for, ticked)
        for number, examined in enumerate(found):

            def frame_read(_done: int, _total: int, number: int = number) -> None:
                if progress is not None:
                    progress(number, len(found))

            frame_read(0, 0)
            image, result = examined.image, examined.recognition
            is_planned = image.main.GetID() in planned_for
            now = check_unchanged(examined, result, frame_read) if is_planned and _in(scene, image) else examined
            if not _in(scene, image):
                if (image.name, _removed()) not in left:
                    left.append((image.name, _removed()))
            elif is_planned:
                there = [mask for mask in following.get(image.main.GetID(), []) if scene.IsNodePresent(mask)]
                with step():
                    made.append(write_correction(now, result, geometry, segmentations=there))
    return made, left + torn


def _following(
    masks: Sequence[ShownNode],
    images: Sequence[SceneImage],
    corrections: dict[str, Correction],
    ticked: tuple[Node, Sequence[ShownNode]] | None,
) -> tuple[dict[str, list[ShownNode]], list[tuple[str, str]]]:
    """The masks that follow each image, by its identifier, and (name, why not) of those that cannot be told.

    A mask that lies on several images follows the first of them where all are corrected alike.
    """
    following: dict[str, list[ShownNode]] = {}
    torn = []
    chosen, by_hand = ticked if ticked is not None else (None, ())
    if chosen is not None:
        following[scene_image(chosen).main.GetID()] = list(by_hand)
    for mask in masks:
        if mask in by_hand:
            continue
        owners = [image.main.GetID() for image in images_of(mask, images)]
        done = {corrections.get(owner) for owner in owners}
        if len(done) > 1:
            said = _("it lies on several images that are corrected in different ways; tick it and correct its own one.")
            torn.append((mask.GetName(), said))
        elif owners and owners[0] in corrections:
            following.setdefault(owners[0], []).append(mask)
    return following, torn


def _in(scene: Scene, image: SceneImage) -> bool:
    return bool(scene.IsNodePresent(image.main))


def _removed() -> str:
    return _("it was removed from the scene meanwhile.")
