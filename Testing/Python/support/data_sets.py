"""Data sets of each layout, made from the phantom: nnU-Net, BIDS, sibling folders."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sample_study import phantom, put

from CMROrientLib.io import read
from CMROrientLib.orientation import Orientation
from CMROrientLib.phantom.phantom import Sequence
from CMROrientLib.training.negatives.phantom_views import phantom_view
from CMROrientLib.volume import Grid, Volume

SEQUENCES: tuple[Sequence, ...] = ("bSSFP", "LGE", "T2")
#: Slices of a stack that is a file a slice.
COUNT = 8


def put_case(
    folder: Path,
    images: dict[str, Sequence],
    labels: dict[str, Path] | None,
    orientation: int,
    seed: int,
    **more: object,
) -> None:
    """Images of one heart on one grid, and its label map under several names."""
    for name, sequence in images.items():
        put(phantom(orientation, seed=seed, sequence=sequence, **more), folder / name)
    for name in labels or {}:
        put(phantom(orientation, seed=seed, with_mask=True, **more)[1], folder / name)


def nnunet(root: Path, cases: dict[str, int], channels: int = 2, **more: object) -> Path:
    """A data set of nnU-Net: channels of each case and its label map."""
    for seed, (case, orientation) in enumerate(cases.items()):
        for channel in range(channels):
            image = phantom(orientation, seed=seed, sequence=SEQUENCES[channel], **more)
            put(image, root / "imagesTr" / f"{case}_{channel:04d}.nii.gz")
        put(phantom(orientation, seed=seed, with_mask=True, **more)[1], root / "labelsTr" / f"{case}.nii.gz")
    names = {str(n): SEQUENCES[n] for n in range(channels)}
    labels = {"background": 0, "RV": 1, "MYO": 2, "LV": 3}
    told = {"channel_names": names, "labels": labels, "numTraining": len(cases), "file_ending": ".nii.gz"}
    (root / "dataset.json").write_text(json.dumps(told))
    return root


def bids(root: Path, subjects: dict[str, int], **more: object) -> Path:
    """A data set of BIDS: an image of each subject, its sidecar, and a segmentation below derivatives."""
    for seed, (subject, orientation) in enumerate(subjects.items()):
        name = f"sub-{subject}_acq-sax_T2w"
        put(phantom(orientation, seed=seed, sequence="T2", **more), root / f"sub-{subject}" / "anat" / f"{name}.nii.gz")
        (root / f"sub-{subject}" / "anat" / f"{name}.json").write_text(json.dumps({"PhaseEncodingDirection": "j-"}))
        mask = phantom(orientation, seed=seed, sequence="T2", with_mask=True, **more)[1]
        place = root / "derivatives" / "manual" / f"sub-{subject}" / "anat"
        put(mask, place / f"sub-{subject}_acq-sax_desc-heart_dseg.nii.gz")
    (root / "dataset_description.json").write_text(json.dumps({"Name": "Hearts", "BIDSVersion": "1.9.0"}))
    (root / "participants.tsv").write_text("participant_id\n" + "".join(f"sub-{s}\n" for s in subjects))
    (root / "README").write_text("Hearts of the phantom.\n")
    return root


def upright(seed: int, **more: object) -> tuple[NDArray[np.generic], NDArray[np.generic]]:
    """Arrays of image and label map in standard orientation."""
    image, mask = phantom(0, seed=seed, with_mask=True, **more)
    return image.array, mask.array


def turned_back(path: Path, orientation: int) -> NDArray[np.generic]:
    """What a file would be had it been stored in a class before it was corrected."""
    return Orientation(orientation).apply(read(path).array)


def other_view(seed: int = 0) -> Volume:
    """Three phases of a plane through the synthetic chest that is no short axis, without a header of its own.

    The seeds 0, 2 and 5 give planes that the network is sure of.
    """
    view = phantom_view(np.random.default_rng(seed), [], 128)
    noise = np.random.default_rng(seed).normal(0, 5, (3, 1, *view.shape))
    return Volume((view + noise).clip(0).astype(np.int16), Grid((128, 128, 1), (2.0, 2.0, 8.0)))


def slices_of(volume: Volume) -> list[Volume]:
    """A stack as one volume a slice; the phantom's slices grow from apex to base."""
    affine, size = volume.grid.affine, volume.grid.size
    grids = [
        replace(volume.grid, size=(*size[:2], 1), origin=tuple((affine @ [0, 0, n, 1])[:3])) for n in range(size[2])
    ]
    return [replace(volume, array=volume.array[n : n + 1], grid=grid) for n, grid in enumerate(grids)]


def put_stack(folder: Path, numbers: Iterable[int], seed: int) -> None:
    """A file a slice, numbered so from apex to base."""
    for number, one in zip(numbers, slices_of(phantom(5, seed=seed, slices=COUNT)), strict=True):
        put(one, folder / f"sax_{number}.nii.gz")
