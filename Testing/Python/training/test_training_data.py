# ruff: noqa: F401, F811 (pytest takes fixtures by their names)
"""What is trained on: data sets, masks, splits and recipes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("safetensors", reason="safetensors is not installed")
pytest.importorskip("onnx", reason="onnx is not installed")

import SimpleITK as sitk  # noqa: E402
from shapes import data  # noqa: E402

from CMROrientLib.errors import CMROrientError, UsageError  # noqa: E402
from CMROrientLib.recognition.preprocessing import Preprocessing  # noqa: E402
from CMROrientLib.training.augmentation.settings import Augmentation  # noqa: E402
from CMROrientLib.training.cases import Case, read_cases  # noqa: E402
from CMROrientLib.training.recipe import read_recipe, recipe_from  # noqa: E402
from CMROrientLib.training.slices import load_slices  # noqa: E402
from CMROrientLib.training.splits import Split, split_by_subject  # noqa: E402

RECIPES = Path(__file__).parents[3] / "Training" / "recipes"

pytestmark = pytest.mark.usefixtures("one_thread")


def test_splits_keep_people_together(tmp_path: Path) -> None:
    cases = [Case(Path(f"{n}.nii"), subject=f"{source}/{n // 3}") for source in "ab" for n in range(30)]
    split = split_by_subject(cases, 0.2, seed=1)
    assert split == split_by_subject(cases[::-1], 0.2, seed=1) != split_by_subject(cases, 0.2, seed=2)
    assert len(split.test) == 4 and {name[0] for name in split.test} == {"a", "b"}
    split.save(tmp_path / "s.json")
    assert Split.load(tmp_path / "s.json") == split
    with pytest.raises(CMROrientError, match="both parts"):
        Split(("x",), ("x",))


def test_every_recipe_is_right() -> None:
    names = sorted(path.stem for path in RECIPES.glob("*.toml"))
    assert {"universal", "cine", "lge", "t2", "resnet18", "densenet121"} <= set(names)
    for path in RECIPES.glob("*.toml"):
        found = read_recipe(path)
        assert found.epochs > 0
        assert not found.data.split or Path(found.data.split).is_file()
    cine = read_recipe(RECIPES / "cine.toml")
    assert cine.preprocessing == Preprocessing.paper() and cine.augmentation == Augmentation.paper()
    assert cine.epochs == 40 and cine.batch == 32 and cine.stages[0].rate == 1e-2


@pytest.mark.parametrize(
    "text", ["seed = ", "[network]\nname='compact'\n[colour]\n", "[augmentation]\nmagic = 1\n", "a = 1"]
)
def test_a_recipe_that_is_not_right_is_named(text: str, tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text(text, encoding="utf-8")
    with pytest.raises(CMROrientError, match=r"bad\.toml"):
        read_recipe(tmp_path / "bad.toml")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("colour = 1", "there is no colour"),
        ("[network]\nname = 'compact'\nmagic = 1", "network.magic"),
        ("[network]\nname = 'huge'", "network.name is 'huge', not one of orientnet"),
        ("[network]\noutputs = 9", "network.name"),
        ("[network]\nname = 'compact'\noutputs = 7", "network.outputs is 7"),
        ("stages = []", "there is no stages"),
        ("[augmentation]\ncrop_diameters = 1.0", "there is no augmentation.crop_diameters"),
        ("[augmentation]\nmagic = 1", "there is no augmentation.magic"),
        ("[augmentation]\nblur = 1.5", "augmentation.blur is 1.5"),
        ("[augmentation]\nzoom = [1.5, 0.5]", "augmentation.zoom"),
        ("[augmentation]\nzoom = [1.5]", "augmentation.zoom[1]"),
        ("[augmentation]\nlike = 'me'", "augmentation.like is 'me'"),
        ("[preprocessing]\nsize = 'large'", "preprocessing.size"),
        ("[preprocessing]\nlike = 'me'", "preprocessing.like is 'me'"),
        ("[data]\ndataset = ['ACDC']", "there is no data.dataset"),
        ("[data]\ntest_share = 1.0", "data.test_share is 1.0"),
        ("[[phases]]\nepochs = 1\n[[phases]]\nepochs = 0", "phases[1].epochs is 0"),
        ("[[phases]]\noptimizer = 'adam'", "phases[0].optimizer is 'adam'"),
        ("[[phases]]\nrate = '1e-3'", "phases[0].rate is '1e-3'"),
        ("[[phases]]\nrate = nan", "phases[0].rate"),
        ("seed = true", "seed is True"),
        ("batch = 2.5", "batch is 2.5"),
        ("[augmentation]\ncloser = 2.0", "augmentation.closer needs a guide"),
    ],
)
def test_a_key_or_value_that_is_not_known_is_named(text: str, complaint: str, tmp_path: Path) -> None:
    network = "" if "[network]" in text else "[network]\nname = 'compact'\n"
    top = not text.startswith("[")
    (tmp_path / "bad.toml").write_text(f"{text}\n{network}" if top else f"{network}{text}\n", encoding="utf-8")
    with pytest.raises(CMROrientError, match=re.escape(complaint)):
        read_recipe(tmp_path / "bad.toml")


def test_a_recipe_comes_back_from_json() -> None:
    for path in RECIPES.rglob("*.toml"):
        recipe = read_recipe(path)
        assert recipe_from(json.loads(json.dumps(recipe.to_json()))) == recipe


def test_a_folder_without_index_is_data_too(data: Path, tmp_path: Path) -> None:
    for name in ("v00.nii.gz", "v01.nii.gz"):
        (tmp_path / name).write_bytes((data / name).read_bytes())
    (tmp_path / "v00_seg.nii.gz").write_bytes((data / "v00.nii.gz").read_bytes())
    cases = read_cases(tmp_path)
    assert [case.path.name for case in cases] == ["v00.nii.gz", "v01.nii.gz"]
    assert len({case.subject for case in cases}) == 2
    with pytest.raises(UsageError, match="there is no such folder"):
        read_cases(tmp_path / "nothing")
    (tmp_path / "empty").mkdir()
    with pytest.raises(CMROrientError, match="no volumes"):
        read_cases(tmp_path / "empty")


def test_slices_come_back_from_the_cache(data: Path, tmp_path: Path) -> None:
    cases = read_cases(data)
    first = load_slices(cases, Preprocessing(size=48), 64, tmp_path)
    assert len(list(tmp_path.glob("slices-*.npz"))) == 1
    again = load_slices(cases, Preprocessing(size=48), 64, tmp_path)
    np.testing.assert_array_equal(first.squares, again.squares)
    assert len(first) == 72


def test_an_index_names_the_values_of_masks(data: Path, tmp_path: Path) -> None:
    """Masks of any data set teach where the heart is, if the index says what their values mean."""
    stack = np.zeros((3, 40, 40), np.int16)
    stack[:, 10:20, 5:15], stack[:, 10:20, 15:25] = 7, 9
    noise = np.random.default_rng(0).integers(0, 99, stack.shape).astype(np.int16)
    sitk.WriteImage(sitk.GetImageFromArray(noise), str(tmp_path / "a.nii"))
    sitk.WriteImage(sitk.GetImageFromArray(stack), str(tmp_path / "m.nii"))
    index = tmp_path / "index.csv"
    index.write_text("path,mask,mask_values\na.nii,m.nii,7 8 9\n", encoding="utf-8")
    (case,) = read_cases(tmp_path)
    assert case.drawn and case.mask_values == (7, 8, 9)
    slices = load_slices([case], Preprocessing(size=40), 40)
    assert sorted(set(slices.masks.ravel())) == [0, 1, 3]
    np.testing.assert_allclose(slices.hearts[0, :2], [15 / 40, 15 / 40], atol=0.01)
    index.write_text("path,mask\na.nii,m.nii\n", encoding="utf-8")
    assert not read_cases(tmp_path)[0].drawn
    index.write_text("path,mask,mask_values\na.nii,m.nii,7 8\n", encoding="utf-8")
    with pytest.raises(CMROrientError, match="three numbers"):
        read_cases(tmp_path)


def test_masks_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    def write(name: str, array: np.ndarray) -> None:
        sitk.WriteImage(sitk.GetImageFromArray(array.astype(np.int16)), str(tmp_path / name))

    def load(mask: str) -> None:
        (tmp_path / "index.csv").write_text(f"path,mask,mask_values\na.nii,{mask},1 2 3\n", encoding="utf-8")
        load_slices(read_cases(tmp_path), Preprocessing(size=32), 32, tmp_path / "cache")

    write("a.nii", np.random.default_rng(0).integers(0, 99, (3, 20, 24)))
    write("small.nii", np.ones((3, 16, 16)))
    write("other.nii", np.full((3, 20, 24), 200))
    with pytest.raises(CMROrientError, match="names this mask"):
        load("missing.nii")
    with pytest.raises(CMROrientError, match="the mask's size"):
        load("small.nii")
    with pytest.raises(CMROrientError, match="none of the values"):
        load("other.nii")


def test_masks_are_trimmed_as_their_slices_are(tmp_path: Path) -> None:
    """Also where little is left, and where the border is not a number."""
    for name, rows, border in (("narrow", 12, 0.0), ("nan", 60, np.nan)):
        image = np.full((1, 80, 80), border, np.float32)
        top = (80 - rows) // 2
        image[:, top : top + rows, 20:60] = np.random.default_rng(0).normal(5, 1, (1, rows, 40))
        mask = np.zeros((1, 80, 80), np.int16)
        mask[:, 36:44, 24:40] = 3
        sitk.WriteImage(sitk.GetImageFromArray(image), str(tmp_path / "i.mha"))
        sitk.WriteImage(sitk.GetImageFromArray(mask), str(tmp_path / "m.mha"))
        case = Case(tmp_path / "i.mha", tmp_path / "m.mha", mask_values=(1, 2, 3))
        slices = load_slices([case], Preprocessing(size=40), 40)
        marked = Preprocessing(size=40).square(np.where(mask[0] > 0, 100, image[0]))
        rows_, columns = np.nonzero(marked > 50)
        expected = (columns.mean() + 0.5) / 40, (rows_.mean() + 0.5) / 40
        np.testing.assert_allclose(slices.hearts[0, :2], expected, atol=0.03, err_msg=name)
