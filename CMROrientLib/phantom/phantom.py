"""A synthetic short-axis stack, for the demo and the tests; never for training or tuning.

It looks like one (chest wall, lungs, heart, liver, stomach, spine), in three contrasts, and comes
in any of the eight orientations with a true, a false or an empty header.
"""

from __future__ import annotations

from typing import Literal, get_args, overload

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..orientation import STANDARD_COLUMN_DIRECTION, STANDARD_ROW_DIRECTION, Orientation
from ..volume import Grid, Volume
from .anatomy import LONG_AXIS, Person, chest
from .heart import REACH, heart
from .shapes import Layer, Plane, Waves

Sequence = Literal["bSSFP", "LGE", "T2"]
HeaderKind = Literal["true", "false", "empty"]
SEQUENCES: tuple[Sequence, ...] = get_args(Sequence)
HEADERS: tuple[HeaderKind, ...] = get_args(HeaderKind)

#: Side of the square field of view, in mm.
FIELD_OF_VIEW = 340.0

# Signal of each tissue, relative to the brightest: bSSFP, LGE, T2.
_SIGNAL: dict[str, tuple[float, float, float]] = {
    "skin": (0.40, 0.40, 0.30),
    "fat": (0.86, 0.64, 0.60),
    "muscle": (0.20, 0.20, 0.20),
    "bone": (0.08, 0.07, 0.06),
    "marrow": (0.34, 0.30, 0.30),
    "disc": (0.24, 0.18, 0.20),
    "fluid": (0.80, 0.10, 0.90),
    "lung": (0.035, 0.03, 0.025),
    "vessel": (0.62, 0.34, 0.10),
    "visceral fat": (0.58, 0.30, 0.24),
    "liver": (0.27, 0.24, 0.27),
    "bowel": (0.24, 0.22, 0.30),
    "stomach wall": (0.30, 0.26, 0.30),
    "stomach fluid": (0.50, 0.13, 0.55),
    "spleen": (0.36, 0.28, 0.46),
    "epicardial fat": (0.56, 0.28, 0.20),
    "pericardium": (0.10, 0.08, 0.08),
    "myocardium": (0.25, 0.07, 0.25),
    "blood": (0.74, 0.50, 0.06),
    "lesion": (0.30, 0.78, 0.50),
}
_FATTY = ("fat", "visceral fat", "epicardial fat", "marrow")
_NOISE = {"bSSFP": 0.012, "LGE": 0.028, "T2": 0.018}
_FULL_SCALE = {"bSSFP": 1500.0, "LGE": 900.0, "T2": 1100.0}


@overload
def make_phantom(
    sequence: Sequence = ...,
    *,
    size: tuple[int, int] = ...,
    slices: int = ...,
    phases: int = ...,
    seed: int = ...,
    orientation: Orientation | int = ...,
    header: HeaderKind = ...,
    with_mask: Literal[False] = ...,
) -> Volume: ...


@overload
def make_phantom(
    sequence: Sequence = ...,
    *,
    size: tuple[int, int] = ...,
    slices: int = ...,
    phases: int = ...,
    seed: int = ...,
    orientation: Orientation | int = ...,
    header: HeaderKind = ...,
    with_mask: Literal[True],
) -> tuple[Volume, Volume]: ...


def make_phantom(
    sequence: Sequence = "bSSFP",
    *,
    size: tuple[int, int] = (208, 256),
    slices: int = 10,
    phases: int = 1,
    seed: int = 0,
    orientation: Orientation | int = Orientation.IDENTITY,
    header: HeaderKind = "true",
    with_mask: bool = False,
) -> Volume | tuple[Volume, Volume]:
    """A short-axis stack of a person who does not exist.

    Parameters
    ----------
    sequence:
        The contrast: ``bSSFP`` (bright blood), ``LGE`` (nulled muscle with a scar) or ``T2`` (dark
        blood with an oedema).
    size:
        Columns and rows in the standard orientation; the longer one spans ``FIELD_OF_VIEW``.
    slices:
        Number of slices; their index grows from apex to base, so that the frame is right-handed.
    phases:
        Number of phases of a heartbeat; one gives a volume without a phase axis, at end-diastole.
    seed:
        Draws the person, the coil and the noise. The same seed gives the same person in every
        sequence, and the same arrays.
    orientation:
        How the pixels are stored.
    header:
        ``true``: the standard frame, turned with the pixels. ``false``: the standard frame although
        the pixels are turned. ``empty``: no directions at all.
    with_mask:
        Also give the mask: 1 right ventricle, 2 left myocardium, 3 left ventricle.

    Returns
    -------
    The image (int16), or the image and its mask (uint8) on the same grid.
    """
    if sequence not in SEQUENCES or header not in HEADERS:
        raise ValueError(f"sequence is one of {SEQUENCES} and header one of {HEADERS}")
    if min(*size, slices, phases) < 1 or min(size) < 32:
        raise ValueError("a phantom has at least 32 columns and rows, one slice and one phase")
    # One stream for the person and one for the scan: the person is the same in every sequence.
    person = Person.drawn(np.random.default_rng([seed, 0]))
    scan = np.random.default_rng([seed, 1, SEQUENCES.index(sequence)])
    columns, rows = size
    pixel = FIELD_OF_VIEW / max(size)
    x = np.asarray((np.arange(columns) - (columns - 1) / 2) * pixel, np.float64)[None, :]
    y = np.asarray((np.arange(rows) - (rows - 1) / 2) * pixel, np.float64)[:, None]
    across, down = _within(x[0], person.heart[0]), _within(y[:, 0], person.heart[1])

    levels = np.linspace(0.88, 0.04, slices) if slices > 1 else np.array([0.4])
    image = np.empty((phases, slices, rows, columns), np.int16)
    mask = np.zeros(image.shape, np.uint8)
    coil = _coil(scan, x, y)
    grain = Waves(scan, 2.6, 24)
    for index, level in enumerate(levels):
        body = chest(person, x, y, level)
        still = _painted(np.zeros((2, rows, columns)), body.layers, sequence)
        gain = coil * (1 + 0.05 * grain(x, y, level * LONG_AXIS))
        for phase in range(phases):
            contraction = _contraction(phase / phases)
            beating = heart(
                person, x[:, across], y[down], level, contraction, body.cavity[down, across], body.abdomen[down, across]
            )
            canvas = still.copy()
            canvas[:, down, across] = _painted(canvas[:, down, across], beating.layers, sequence)
            image[phase, index] = _measured(canvas, gain, scan, sequence)
            mask[phase, index, down, across] = beating.mask

    grid = _standard_grid(size, slices, pixel)
    turned = Orientation(orientation)
    volumes = []
    for array in (image, mask):
        volume = Volume(array if phases > 1 else array[0], grid).reindexed(
            turned, turned if header == "true" else Orientation.IDENTITY
        )
        if header == "empty":
            plain = Grid(volume.grid.size, volume.grid.spacing)
            volume = Volume(volume.array, plain, has_geometry=False)
        volumes.append(Volume(np.ascontiguousarray(volume.array), volume.grid, has_geometry=volume.has_geometry))
    return (volumes[0], volumes[1]) if with_mask else volumes[0]


def _standard_grid(size: tuple[int, int], slices: int, pixel: float) -> Grid:
    """The standard short-axis frame with its centre at the origin (LPS, mm)."""
    column = STANDARD_COLUMN_DIRECTION / np.linalg.norm(STANDARD_COLUMN_DIRECTION)
    row = STANDARD_ROW_DIRECTION - (STANDARD_ROW_DIRECTION @ column) * column
    row /= np.linalg.norm(row)
    directions = np.column_stack([column, row, np.cross(column, row)])
    spacing = (pixel, pixel, LONG_AXIS / max(slices - 1, 1))
    origin = -directions @ ((np.array([*size, slices]) - 1) / 2 * spacing)
    return Grid(
        (*size, slices), spacing, (origin[0], origin[1], origin[2]), tuple(float(v) for v in directions.ravel())
    )


def _within(positions: Plane, centre: float) -> slice:
    """The part of an axis that the heart can reach."""
    near = np.flatnonzero(np.abs(positions - centre) < REACH)
    return slice(int(near[0]), int(near[-1]) + 1)


def _contraction(time: float) -> float:
    """How contracted the heart is at a share of the beat (0 = end-diastole): systole is the shorter part."""
    systole = 0.38
    if time < systole:
        return float(np.sin(np.pi / 2 * time / systole) ** 2)
    return float(np.exp(-4.5 * (time - systole) / (1 - systole)) * (1 - (time - systole) / (1 - systole)) ** 0.5)


def _painted(canvas: Plane, layers: list[Layer], sequence: Sequence) -> Plane:
    """``canvas`` (2, rows, columns), signal and share of fat, with ``layers`` painted one over the other."""
    column = SEQUENCES.index(sequence)
    for tissue, weight in layers:
        colour = np.array([_SIGNAL[tissue][column], float(tissue in _FATTY)])[:, None, None]
        canvas = canvas + (colour - canvas) * weight
    return canvas


def _coil(scan: np.random.Generator, x: Plane, y: Plane) -> Plane:
    """Sensitivity of the receive coils: strong near the front of the chest, weak towards the feet."""
    drift = Waves(scan, 160, 6)(x, y, 0.0)
    front = np.exp(-(x + 130) / scan.uniform(190, 330))
    ends = 1 / (1 + np.exp((np.abs(y + 10) - scan.uniform(140, 165)) / 9))
    return (0.55 + 0.75 * front) * (1 + 0.09 * drift) * ends


def _measured(canvas: Plane, gain: Plane, scan: np.random.Generator, sequence: Sequence) -> NDArray[np.int16]:
    """What the scanner stores of a painted ``canvas``: blurred by its resolution, with Rician noise, as int16."""
    signal, fat = ndimage.gaussian_filter(canvas, (0, 0.6, 0.6))
    if sequence == "bSSFP":
        # Fat and water are in opposite phase: they cancel where they share a pixel.
        signal = signal * np.abs(1 - 2 * np.minimum(fat, 1 - fat)) ** 0.8
    noise = scan.normal(0, _NOISE[sequence], (2, *signal.shape))
    magnitude = np.hypot(signal * gain + noise[0], noise[1]) * _FULL_SCALE[sequence]
    stored: NDArray[np.int16] = np.clip(np.rint(magnitude), 0, 32767).astype(np.int16)
    return stored
