"""A data set that is standardized on the fly by the workers of a DataLoader, forked and spawned ones."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import parts
import pytest
from cases import data_set

pytest.importorskip("torch", reason="torch is not installed")

STORED = [0, 5, 2, 7]

MONAI = """
import sys

import torch
from monai.data import DataLoader, Dataset, decollate_batch
from monai.transforms import Compose, LoadImaged

import CMROrientLib as cmr

KEYS = ["image", "label"]


def main(way, folder):
    torch.multiprocessing.set_start_method(way)
    cases = [{"image": f"{folder}/case{n}.nii.gz", "label": f"{folder}/case{n}_seg.nii.gz"} for n in range(4)]
    load = LoadImaged(KEYS, ensure_channel_first=True)
    standard = cmr.transforms.StandardOrientationd(KEYS)
    standard(load(cases[0]))  # its network is open already: workers must not share it
    transform = Compose([load, standard])
    loader = DataLoader(Dataset(cases, transform), batch_size=2, num_workers=2)
    number = 0
    for batch in loader:
        for one in decollate_batch(batch):
            told = one["label"].applied_operations[-1]["extra_info"]
            back = transform.inverse(one)["label"].as_tensor()
            print(int(told["orientation"]), torch.equal(back, load(cases[number])["label"].as_tensor()))
            number += 1


if __name__ == "__main__":
    main(*sys.argv[1:])
"""

TORCHIO = """
import sys

import torch
import torchio as tio

import CMROrientLib as cmr


def first(subjects):
    return subjects[0]


def main(way, folder):
    subjects = [
        tio.Subject(mri=tio.ScalarImage(f"{folder}/case{n}.nii.gz"), heart=tio.LabelMap(f"{folder}/case{n}_seg.nii.gz"))
        for n in range(4)
    ]
    standard = cmr.transforms.ToStandardOrientation()
    standard(subjects[0])
    data = tio.SubjectsDataset(subjects, transform=standard)
    loader = torch.utils.data.DataLoader(
        data, batch_size=1, num_workers=2, collate_fn=first, multiprocessing_context=way
    )
    for stored, turned in zip(subjects, loader):
        back = turned.apply_inverse_transform()
        print(turned.history[0].orientation, torch.equal(back.heart.data, stored.heart.data))


if __name__ == "__main__":
    main(*sys.argv[1:])
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("workers")
    data_set(place, STORED)
    return place


@pytest.mark.parametrize("way", ["spawn", "fork"])
@pytest.mark.parametrize(("package", "script"), [("monai", MONAI), ("torchio", TORCHIO)])
def test_workers_standardize_and_the_parent_brings_back(
    way: str, package: str, script: str, folder: Path, tmp_path: Path
) -> None:
    pytest.importorskip(package)
    if way == "fork" and not hasattr(os, "fork"):
        pytest.skip("there is no fork")
    (tmp_path / "script.py").write_text(script, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", tmp_path / "script.py", way, folder],
        env={**os.environ, "PYTHONPATH": str(parts.REPOSITORY)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [word for k in STORED for word in (str(k), "True")]


def test_a_worker_takes_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    from CMROrientLib.transforms.decision import Decider

    decider = Decider()
    assert decider._recognizer()._threads is None
    assert decider._recognizer() is decider._recognizer()
    monkeypatch.setattr(torch.utils.data, "get_worker_info", lambda: object())
    assert Decider()._recognizer()._threads == 1
