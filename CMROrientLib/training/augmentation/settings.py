"""What may happen to a slice in training: the table ``[augmentation]`` of a recipe."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated

from pydantic import BeforeValidator, ConfigDict, Field, PlainSerializer, TypeAdapter, model_validator
from pydantic.dataclasses import dataclass

#: A recipe takes no key and no type that it does not know, and no number that is none.
STRICT = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, validate_by_name=True, validate_by_alias=True)

Share = Annotated[float, Field(ge=0, le=1)]
NotNegative = Annotated[float, Field(ge=0)]
Degrees = Annotated[float, Field(ge=0, le=180)]


def _shift(value: object) -> object:
    return None if value == "inside" else value


def _shift_said(shift: float | None) -> float | str:
    return "inside" if shift is None else shift


@dataclass(frozen=True, config=STRICT)
class Augmentation:
    """Strengths and shares; shares are probabilities.

    In files ``crop_diameters`` is called ``closer``, and ``crop_share`` is called ``closer_share``.

    Parameters
    ----------
    rotation, rotation_unknown:
        Largest rotation in degrees, where the ventricles' angle is known and where it is not.
    zoom:
        Smallest and largest field of view, as a multiple of the slice's: 0.5 is a crop to half,
        1.5 padding to one and a half.
    closest:
        Smallest field of view where place and size of the heart are known, in diameters of the
        heart; it takes the place of ``zoom``'s lower end where it is smaller. 0 switches it off.
    crop_diameters, crop_share:
        Side of the crop round the heart in its diameters (``inference``), 0 for a network that sees
        whole slices only; share of the slices that are shown like that, with some inaccuracy.
    aspect:
        Largest stretch of one side, as a factor.
    shift:
        Largest shift of the centre, as a share of the slice's side. None ("inside" in a recipe) keeps
        the window inside the slice (the paper's random resized crop).
    varied:
        Give each slice one strength for its rotation and one for the chances of all that happens to
        its contrast, each between none and full; otherwise all get full strength. So most slices
        are hard in few ways only, and some in none.
    turns:
        Whether each slice is stored in a random one of the eight orientations.
    spread, spread_unknown:
        Degrees by which the angle is uncertain, where it is known and where it is not. 0 keeps
        the label whatever the rotation (the paper).
    tissue:
        Share with blood and muscle made brighter or darker by their masks.
    phase_sensitive, inversion_recovery, parametric_map, perfusion, flow, dark_blood:
        Shares shown as other sequences would: signed and magnitude images after an inversion, maps of T1 to
        T2*, frames of a first pass, magnitude images of flow measurements, dark-blood images.
    anisotropic:
        Share that is coarser along one direction than along the other, as planes cut from thick slices are.
    wrap:
        Share with values that run over an end of 8 bit: bright ones start again at 0, or, twice as
        often, dark ones that noise takes below 0 come out white.
    gamma, remap, invert:
        Largest logarithm of a gamma, share with a random grey curve, share with inverted contrast.
    bias, bias_share:
        Deviation of a bias field's logarithm, share that gets one.
    blur, low_resolution:
        Share that is blurred, and share that is resampled to fewer pixels.
    noise, noise_share:
        Largest deviation of noise as a share of the range, share that gets some.
    window:
        Share shown in a disc only.
    bright_fill:
        Share whose surroundings are not dark.
    """

    rotation: Degrees = 70.0
    rotation_unknown: Degrees = 20.0
    zoom: tuple[Annotated[float, Field(gt=0)], Annotated[float, Field(gt=0)]] = (0.5, 1.6)
    closest: NotNegative = 0.95
    crop_diameters: Annotated[NotNegative, Field(alias="closer")] = 0.0
    crop_share: Annotated[Share, Field(alias="closer_share")] = 0.0
    aspect: Annotated[float, Field(ge=1)] = 1.15
    shift: Annotated[NotNegative | None, BeforeValidator(_shift), PlainSerializer(_shift_said)] = 0.1
    varied: bool = True
    turns: bool = True
    spread: NotNegative = 4.0
    spread_unknown: NotNegative = 16.0
    tissue: Share = 0.2
    phase_sensitive: Share = 0.0
    inversion_recovery: Share = 0.0
    parametric_map: Share = 0.0
    perfusion: Share = 0.0
    flow: Share = 0.0
    dark_blood: Share = 0.0
    anisotropic: Share = 0.0
    wrap: Share = 0.05
    gamma: NotNegative = 0.5
    remap: Share = 0.15
    invert: Share = 0.15
    bias: NotNegative = 0.5
    bias_share: Share = 0.5
    blur: Share = 0.15
    low_resolution: Share = 0.2
    noise: NotNegative = 0.1
    noise_share: Share = 0.4
    window: Share = 0.04
    bright_fill: Share = 0.08

    @model_validator(mode="after")
    def _in_order(self) -> Augmentation:
        if self.zoom[0] > self.zoom[1]:
            raise ValueError("augmentation.zoom: its first number is the smaller one")
        return self

    @classmethod
    def paper(cls) -> Augmentation:
        """The paper's: rotations of ±10 degrees, resized crops (area 0.7–1, aspect 0.8–1.2)."""
        return cls(
            rotation=10.0,
            rotation_unknown=10.0,
            zoom=(math.sqrt(0.7), 1.0),
            closest=0.0,
            aspect=1.2,
            shift=None,
            varied=False,
            spread=0.0,
            spread_unknown=0.0,
            tissue=0.0,
            wrap=0.0,
            gamma=0.0,
            remap=0.0,
            invert=0.0,
            bias=0.0,
            bias_share=0.0,
            blur=0.0,
            low_resolution=0.0,
            noise=0.0,
            noise_share=0.0,
            window=0.0,
            bright_fill=0.0,
        )

    def to_recipe(self) -> dict[str, object]:
        """Settings as JSON and TOML keep them."""
        said: dict[str, object] = TypeAdapter(Augmentation).dump_python(self, mode="json", by_alias=True)
        return said


def like_the_paper(table: object) -> object:
    """A recipe's table, over the paper's settings where it says ``like = "paper"``."""
    if not isinstance(table, Mapping) or "like" not in table:
        return table
    said = {key: value for key, value in table.items() if key != "like"}
    if table["like"] != "paper":
        raise ValueError(f"augmentation.like is {table['like']!r}; the only word for it is 'paper'")
    return {**Augmentation.paper().to_recipe(), **said}
