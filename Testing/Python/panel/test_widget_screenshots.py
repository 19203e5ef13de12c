"""The command that takes pictures of the panel, and the pictures that the repository keeps."""

from __future__ import annotations

import re
from pathlib import Path

import parts
import pytest
from slicer_host import application, scene  # noqa: F401

pytestmark = pytest.mark.usefixtures("scene")

STATES = ("empty", "recognized", "conflict", "corrected", "cancelled")


def test_pictures_are_written_in_light_and_dark(tmp_path: Path) -> None:
    import screenshots
    from PySide6.QtGui import QImage

    assert tuple(state.__name__ for state in screenshots.STATES) == STATES
    paths = screenshots.main(tmp_path, (screenshots.empty, screenshots.conflict))
    assert sorted(path.name for path in paths) == [
        "conflict-dark.png",
        "conflict-light.png",
        "empty-dark.png",
        "empty-light.png",
    ]
    pictures = {path.name: QImage(str(path)) for path in paths}
    for name, picture in pictures.items():
        assert picture.width() == screenshots.WIDTH and picture.height() > 600
        corner = picture.pixelColor(2, picture.height() - 3).lightness()
        assert (corner < 100) == ("dark" in name)
    # Only the conflict has the red banner.
    red = {
        name: any(picture.pixelColor(30, y).name() == "#b3261e" for y in range(picture.height()))
        for name, picture in pictures.items()
    }
    assert red == {name: "conflict" in name for name in red}


def test_the_repository_keeps_each_picture_and_none_is_large() -> None:
    folder = parts.REPOSITORY / "Documentation" / "screenshots"
    assert {path.name for path in folder.glob("*.png")} == {
        f"{state}-{theme}.png" for state in STATES for theme in ("light", "dark")
    }
    assert all(path.stat().st_size < 300_000 for path in folder.glob("*.png"))


def test_each_step_of_the_tutorial_has_its_picture_and_is_shown() -> None:
    import tutorial

    folder = parts.REPOSITORY / "Documentation" / "screenshots" / "tutorial"
    names = {f"{step.__name__}.png" for step in tutorial.STEPS}
    assert {path.name for path in folder.glob("*.png")} == names
    assert all(path.stat().st_size < 300_000 for path in folder.glob("*.png"))
    told = (parts.REPOSITORY / "Documentation" / "Slicer.md").read_text(encoding="utf-8")
    assert set(re.findall(r"screenshots/tutorial/(\w+\.png)", told)) == names


def test_steps_of_the_tutorial_are_pressed_and_shown(tmp_path: Path) -> None:
    import screenshots
    from PySide6.QtGui import QImage

    paths = screenshots.steps(tmp_path, ("question", "save_as_dicom", "context_menu"))
    sizes = {path.stem: QImage(str(path)).size() for path in paths}
    assert sizes.keys() == {"question", "save_as_dicom", "context_menu"}
    assert all(size.width() > 100 and 30 < size.height() < 400 for size in sizes.values())
    # A part of the panel is shown, not the whole.
    assert sizes["save_as_dicom"].width() == screenshots.WIDTH
