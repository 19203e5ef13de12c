"""MONAI: a dictionary transform that standardizes images and their label maps, and can be inverted."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from pathlib import Path

import torch
from monai.config.type_definitions import KeysCollection
from monai.data.meta_obj import get_track_meta
from monai.data.meta_tensor import MetaTensor
from monai.transforms.inverse import InvertibleTransform
from monai.transforms.transform import MapTransform
from monai.utils.enums import TraceKeys, TransformBackends
from monai.utils.type_conversion import convert_to_tensor

from ..adapters import monai as adapter
from ..correction import GeometryMode, WantedOrder
from ..i18n import _
from ..orientation import Orientation
from ..recognition.recognizer import Recognizer
from .decision import CaseDecision, Decider, IfUnsure


class StandardOrientationd(MapTransform, InvertibleTransform):
    """Turn the images of a case, and the label maps that belong to them, into the standard orientation.

    One image is recognized, the others follow. Images are channel first, ``[C, X, Y, Z]`` (or ``[C, X, Y]``),
    as ``LoadImaged(ensure_channel_first=True)`` gives them; the affine goes with them. What was done
    stands in ``applied_operations``, so that ``inverse`` and ``Invertd`` bring predictions back onto the
    grid as stored.

    Parameters
    ----------
    keys:
        Images and label maps that are turned.
    image_key:
        The image that is looked at; the first of ``keys`` where None. Where it has several channels, all are.
    recognizer:
        A recognizer, or the name or path of its model; see ``Decider``.
    geometry, target, slice_order:
        As ``correct`` takes them.
    skip_conflicts:
        Whether a case whose header contradicts the pixels is left alone.
    if_unsure:
        ``warn``, ``leave`` or ``raise`` where the case should not be acted on.
    orientation_key:
        Where the case has this key and its value is not None, it is the class that a person decided on.
    slice_axis:
        0, 1 or 2 for slices along X, Y or Z; found from spacing and size where None.
    allow_missing_keys:
        Whether a case may lack some of the keys (not ``image_key``).

    Raises
    ------
    CMROrientError
        Where there is no such model; when called, where nothing can be seen or ``if_unsure`` says so.
    """

    backend = [TransformBackends.TORCH]  # noqa: RUF012 - as MONAI declares it

    def __init__(
        self,
        keys: KeysCollection,
        image_key: Hashable | None = None,
        recognizer: Recognizer | str | Path = "universal",
        geometry: GeometryMode = "auto",
        target: Orientation | int = Orientation.IDENTITY,
        slice_order: WantedOrder = "keep",
        skip_conflicts: bool = False,
        if_unsure: IfUnsure = "warn",
        orientation_key: Hashable | None = None,
        slice_axis: int | None = None,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.image_key = self.keys[0] if image_key is None else image_key
        self.orientation_key = orientation_key
        self.slice_axis = slice_axis
        self.decider = Decider(recognizer, geometry, target, slice_order, skip_conflicts, if_unsure)

    def __call__(self, data: Mapping[Hashable, torch.Tensor]) -> dict[Hashable, torch.Tensor]:
        """The case in standard orientation; what is given is not changed."""
        turned = dict(data)
        decision = self._decide(turned)
        for key in self.key_iterator(turned):
            image = _tensor(turned[key])
            volume = adapter.to_volume(image, None, decision.slice_axis)
            result = adapter.from_volume(decision.correction.apply(volume), image)
            if get_track_meta():
                size, trace = tuple(image.shape[1:]), decision.to_trace()
                self.push_transform(result, orig_size=size, extra_info=trace)  # type: ignore[no-untyped-call]
            turned[key] = convert_to_tensor(result, track_meta=get_track_meta())
        return turned

    def inverse(self, data: Mapping[Hashable, torch.Tensor]) -> dict[Hashable, torch.Tensor]:
        """The case as it was stored, with what was predicted on it."""
        back = dict(data)
        for key in self.key_iterator(back):
            image = back[key]
            trace = self.get_most_recent_transform(image)
            decision = CaseDecision.from_trace(trace[TraceKeys.EXTRA_INFO])
            volume = adapter.to_volume(_tensor(image), None, decision.slice_axis)
            result = adapter.from_volume(decision.correction.undo(volume), _tensor(image))
            self.pop_transform(result)
            back[key] = result
        return back

    def _decide(self, data: Mapping[Hashable, torch.Tensor]) -> CaseDecision:
        if self.image_key not in data:
            said = _("the case has no {key!r}, which is the image to look at: it has {keys}")
            raise KeyError(said.format(key=self.image_key, keys=", ".join(map(str, data))))
        image = _tensor(data[self.image_key])
        given = None if self.orientation_key is None else data.get(self.orientation_key)
        name = str(image.meta.get("filename_or_obj", self.image_key))
        orientation = None if given is None else Orientation(int(given))
        return self.decider(adapter.to_volume(image, None, self.slice_axis), name, orientation)


def _tensor(image: torch.Tensor) -> MetaTensor:
    """With metadata, which a tensor that lacks them gets from MONAI's defaults."""
    return image if isinstance(image, MetaTensor) else MetaTensor(image)
