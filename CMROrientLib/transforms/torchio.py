"""torchio: a transform that standardizes a subject, and stands in its history so that it can be inverted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np
import torchio
from torchio.transforms.augmentation import RandomTransform
from torchio.transforms.spatial_transform import SpatialTransform

from ..adapters import torchio as adapter
from ..correction import GeometryMode, WantedOrder
from ..i18n import _
from ..orientation import Orientation
from ..recognition.recognizer import Recognizer
from .decision import CaseDecision, Decider, IfUnsure, Trace


class TurnToStandardOrientation(SpatialTransform):
    """Turn all images of a subject by what is known of it: what stands in the history.

    Parameters
    ----------
    orientation, geometry_class, target, reverse_slices, reverse_slice_direction:
        See ``Correction``.
    slice_axis:
        0, 1 or 2 for slices along the width, height or depth.
    decision, confidence:
        Those of the recognition, for who reads the history.
    """

    def __init__(
        self,
        orientation: int,
        geometry_class: int,
        target: int = 0,
        reverse_slices: int = 0,
        reverse_slice_direction: int = 0,
        slice_axis: int = 2,
        decision: str = "",
        confidence: float = 1.0,
        *,
        copy: bool = True,
        include: Sequence[str] | None = None,
        exclude: Sequence[str] | None = None,
    ) -> None:
        super().__init__(copy=copy, include=include, exclude=exclude)
        self.orientation, self.geometry_class, self.target = orientation, geometry_class, target
        self.reverse_slices, self.reverse_slice_direction = reverse_slices, reverse_slice_direction
        self.slice_axis, self.decision, self.confidence = slice_axis, decision, confidence
        self.args_names = list(self._case().to_trace())
        self.invert_transform = False

    def _case(self) -> CaseDecision:
        return CaseDecision.from_trace(cast("Trace", self.__dict__))

    def apply_transform(self, subject: torchio.Subject) -> torchio.Subject:
        """Turn every image that is included; torchio has copied the subject."""
        case = self._case()
        for image in self.get_images(subject):
            volume = adapter.to_volume(image, None, case.slice_axis)
            turned = case.correction.undo(volume) if self.invert_transform else case.correction.apply(volume)
            result = adapter.from_volume(turned, image)
            image.set_data(result.data)
            image.affine = result.affine
        return subject


# Like torchio's random ones: not it but what it decided on for a subject stands in the history.
class ToStandardOrientation(RandomTransform, SpatialTransform):
    """Turn a subject's images and label maps into the standard orientation.

    One image is recognized, all others follow. ``subject.history`` holds what was done, so that
    ``subject.apply_inverse_transform()`` brings predictions back onto the grid as stored.

    Parameters
    ----------
    image:
        Name of the image that is looked at; the first scalar image where None.
    recognizer, geometry, target, slice_order, skip_conflicts, if_unsure:
        See ``Decider``.
    orientation_key:
        Where the subject has this entry and it is not None, it is the class that a person decided on.
    slice_axis:
        0, 1 or 2 for slices along the width, height or depth; found from spacing and size where None.
    p, copy, include, exclude, keep, label_keys:
        As every transform of torchio takes them.

    Raises
    ------
    CMROrientError
        Where there is no such model; when called, where nothing can be seen or ``if_unsure`` says so.
    """

    def __init__(
        self,
        image: str | None = None,
        recognizer: Recognizer | str | Path = "universal",
        geometry: GeometryMode = "auto",
        target: Orientation | int = Orientation.IDENTITY,
        slice_order: WantedOrder = "keep",
        skip_conflicts: bool = False,
        if_unsure: IfUnsure = "warn",
        orientation_key: str | None = None,
        slice_axis: int | None = None,
        *,
        p: float = 1,
        copy: bool = True,
        include: Sequence[str] | None = None,
        exclude: Sequence[str] | None = None,
        keep: dict[str, str] | None = None,
        label_keys: Sequence[str] | None = None,
    ) -> None:
        super().__init__(  # type: ignore[no-untyped-call]
            p=p, copy=copy, include=include, exclude=exclude, keep=keep, label_keys=label_keys
        )
        self.image = image
        self.orientation_key = orientation_key
        self.slice_axis = slice_axis
        self.decider = Decider(recognizer, geometry, target, slice_order, skip_conflicts, if_unsure)

    def apply_transform(self, subject: torchio.Subject) -> torchio.Subject:
        """Decide, and turn; torchio has copied the subject."""
        # torchio has numpy raise where values are not finite; files hold such.
        with np.errstate(divide="warn", over="warn", invalid="warn"):
            case = self._decide(subject)
            turn = TurnToStandardOrientation(**case.to_trace(), copy=False, include=self.include, exclude=self.exclude)
            return turn(subject)

    def _decide(self, subject: torchio.Subject) -> CaseDecision:
        images: dict[str, torchio.Image] = subject.get_images_dict(intensity_only=False)
        scalar = (name for name, image in images.items() if isinstance(image, torchio.ScalarImage))
        name = next(scalar, "") if self.image is None else self.image
        if name not in images:
            said = _("the subject has no {name}, which is the image to look at: it has {names}")
            raise KeyError(said.format(name=repr(name) if name else _("scalar image"), names=", ".join(images)))
        given = None if self.orientation_key is None else cast("int | None", subject.get(self.orientation_key))
        orientation = None if given is None else Orientation(int(given))
        image = images[name]
        return self.decider(adapter.to_volume(image, None, self.slice_axis), str(image.path or name), orientation)
