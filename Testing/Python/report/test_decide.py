"""A person decides on the page, by mouse and by keyboard, from the click to the corrected file."""

from __future__ import annotations

import io
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from browser import Browser, open_browser
from PIL import Image
from report_samples import acted_on, jpeg, many, undecided

from CMROrientLib.io import read, write
from CMROrientLib.orientation import Orientation
from CMROrientLib.phantom.phantom import make_phantom
from CMROrientLib.report.page import write_report
from CMROrientLib.run.overrides import Override, read_decisions
from CMROrientLib.run.pictures.thumbnails import Thumbnails, thumbnails_of
from CMROrientLib.volume import Volume

#: Names that a table or a page can trip over.
NAMES = ("=1+1,ä.nii.gz", '</script><b>"q"&.nii.gz', "'=x.nii.gz", "-a; b.nii.gz")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as window:
        yield window


def correct(study: Path, output: Path, *options: str) -> int:
    command = [sys.executable, "-m", "CMROrientLib", "correct", str(study), "-o", str(output), *options]
    return subprocess.run(command, capture_output=True, check=False).returncode


def study_of(folder: Path) -> Volume:
    """A study of two images that are stored upside down, which a user had told to be standard."""
    volume = make_phantom("LGE", seed=3, orientation=Orientation.FLIP_VERTICAL, header="false")
    write(volume, folder / "study" / "ä, b.nii.gz")
    write(volume, folder / "study" / "=c.nii.gz")
    (folder / "wrong.csv").write_text('path,orientation\n"ä, b.nii.gz",0\n=c.nii.gz,5\n', encoding="utf-8")
    assert correct(folder / "study", folder / "out", "--decisions", str(folder / "wrong.csv")) == 0
    return volume


def text(browser: Browser, selector: str) -> str:
    return browser.evaluate(f"document.querySelector({selector!r}).textContent")


def drawn(browser: Browser) -> None:
    """Wait for the large pictures."""
    wait = (
        "new Promise((done) => { const look = () => document.querySelector('canvas') ? done() : setTimeout(look, 10);"
        " look(); })"
    )
    browser.evaluate(wait)


def saved(folder: Path) -> Path:
    path = folder / "decisions.csv"
    for _ in range(1200):
        if path.is_file() and path.stat().st_size:
            return path
        time.sleep(0.05)
    raise AssertionError("nothing was saved")


def check_corrected(folder: Path, volume: Volume, decisions: Path) -> None:
    """The first image is corrected from flip-vertical, voxel for voxel; the second is left alone."""
    assert correct(folder / "study", folder / "out", "--decisions", str(decisions)) == 0
    expected = Orientation.FLIP_VERTICAL.inverse.apply(volume.array)
    assert np.array_equal(read(folder / "out" / "ä, b.nii.gz").array, expected)
    assert not (folder / "out" / "=c.nii.gz").exists()
    # It stays so without being told again.
    assert correct(folder / "study", folder / "out") == 0
    assert np.array_equal(read(folder / "out" / "ä, b.nii.gz").array, expected)
    assert not (folder / "out" / "=c.nii.gz").exists()


def test_from_click_to_corrected_file(browser: Browser, tmp_path: Path) -> None:
    volume = study_of(tmp_path)
    browser.downloads_to(tmp_path)
    browser.open(tmp_path / "out" / "cmrorient.html")
    browser.click("tr[data-path^='ä'] img")
    drawn(browser)
    assert browser.evaluate("document.querySelector('#decide').open")
    assert "Decided by a person" in text(browser, "tr[data-path^='ä']")
    browser.click("#decide input[value='2'] + span")
    assert text(browser, "#decided") == "1 decision, not saved"
    assert browser.evaluate("document.querySelector('canvas').className") == "k2"
    browser.click("#decide-close")
    browser.click("tr[data-path^='='] .decide")
    browser.click("#decide input[value='not-short-axis'] + span")
    browser.click("#decide-close")
    assert text(browser, "#decided") == "2 decisions, not saved"
    browser.click("#save")
    decisions = saved(tmp_path)
    assert text(browser, "#decided") == "2 decisions, saved"
    assert "--decisions decisions.csv" in text(browser, "#saved")
    assert browser.complaints() == []
    check_corrected(tmp_path, volume, decisions)
    # What the run took over is the page's own now.
    browser.open(tmp_path / "out" / "cmrorient.html")
    assert browser.evaluate("document.querySelector('#saving').hidden")
    assert browser.evaluate("document.querySelectorAll('tr[data-person]').length") == 2


def test_with_keys_alone(browser: Browser, tmp_path: Path) -> None:
    volume = study_of(tmp_path)
    browser.downloads_to(tmp_path)
    browser.open(tmp_path / "out" / "cmrorient.html", "#sort=path")
    browser.press("j")
    browser.press("Enter")
    assert text(browser, "#decide-name") == "=c.nii.gz"
    browser.press("n")
    browser.press("ArrowDown")
    assert text(browser, "#decide-name") == "ä, b.nii.gz"
    browser.press("7")
    browser.press("u")
    assert text(browser, "#decided") == "1 decision, not saved"
    browser.press("6")
    browser.press("Backspace")
    browser.press("2")
    browser.press("k")
    browser.press("j")
    browser.press("s")
    decisions = saved(tmp_path)
    browser.press("Escape")
    assert not browser.evaluate("document.querySelector('#decide').open")
    # The browser tells that a dialog has closed a moment later.
    focused = "document.activeElement.closest('tr')?.dataset.path"
    for _ in range(100):
        if browser.evaluate(focused) == "ä, b.nii.gz":
            break
        time.sleep(0.05)
    assert browser.evaluate(focused) == "ä, b.nii.gz"
    check_corrected(tmp_path, volume, decisions)


def test_keys_typed_into_the_search_decide_nothing(browser: Browser, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    records = [undecided("a.nii.gz"), undecided("b.nii.gz")]
    write_report(records, page, {record.key: Thumbnails(jpeg()) for record in records})
    browser.open(page)
    browser.evaluate("document.getElementById('search').focus()")
    for key in ("j", "n", "s", "2"):
        browser.press(key)
    assert browser.evaluate("document.getElementById('search').value") == "jns2"
    assert browser.evaluate("document.activeElement.id") == "search"
    assert browser.evaluate("document.getElementById('saving').hidden")


def test_names_and_series_come_through(browser: Browser, tmp_path: Path) -> None:
    records = [undecided(name) for name in NAMES] + [undecided("ser", series="1.2"), undecided("ser", series="1.3")]
    write_report(records, tmp_path / "page.html", {record.key: Thumbnails(jpeg()) for record in records})
    browser.downloads_to(tmp_path)
    browser.open(tmp_path / "page.html")
    assert browser.complaints() == []
    browser.press("j")
    browser.press("Enter")
    for place in range(len(records)):
        browser.press(str(place))
        browser.press("j")
    browser.press("s")
    found = read_decisions(saved(tmp_path)).rows
    keys = sorted((record.key for record in records), key=lambda key: (key[0], key[1] or ""))
    assert found == {key: Override(Orientation(place)) for place, key in enumerate(keys)}


def test_decisions_outlive_a_reload(browser: Browser, tmp_path: Path) -> None:
    record = undecided("a.nii.gz")
    write_report([record], tmp_path / "page.html", {record.key: Thumbnails(jpeg())})
    browser.open(tmp_path / "page.html")
    browser.press("j")
    browser.press("Enter")
    browser.press("5")
    leaving = "!dispatchEvent(new Event('beforeunload', { cancelable: true }))"
    assert browser.evaluate(leaving), "the browser asks before work is lost"
    browser.evaluate("localStorage.length")
    # As after a crash: opened anew by a copy of the address.
    state = browser.evaluate("localStorage.getItem(`cmrorient-decisions:${location.pathname}`)")
    assert '"5"' in state
    browser.press("u")
    assert not browser.evaluate(leaving)


@pytest.mark.parametrize("k", Orientation)
def test_the_preview_turns_outlines_with_the_picture(browser: Browser, tmp_path: Path, k: Orientation) -> None:
    """Of an image stored in each class, the preview under that class is the standard one, mask and all."""
    volume = make_phantom("bSSFP", seed=1)
    label = np.zeros(volume.array.shape, np.uint8)
    label[:, 40:90, 30:60] = 2
    mask = Volume(label, volume.grid)
    pictures = {}
    records = []
    for name, way in (("a", Orientation.IDENTITY), ("b", k)):
        stored, outline = volume.reindexed(way, way), mask.reindexed(way, way)
        records.append(replace(undecided(name)))
        pictures[name, None] = thumbnails_of(stored, None, [outline])
    write_report(records, tmp_path / "page.html", pictures)
    shown = """new Promise((done) => setTimeout(() => {
        const canvas = document.querySelector('#views canvas');
        const flat = document.createElement('canvas');
        flat.width = flat.height = canvas.width;
        const pen = flat.getContext('2d');
        const m = new DOMMatrix(getComputedStyle(canvas).transform);
        pen.translate(canvas.width / 2, canvas.width / 2);
        pen.transform(m.a, m.b, m.c, m.d, 0, 0);
        pen.drawImage(canvas, -canvas.width / 2, -canvas.width / 2);
        done([...pen.getImageData(0, 0, flat.width, flat.width).data]);
    }, 150))"""
    browser.open(tmp_path / "page.html")
    browser.press("j")
    browser.press("Enter")
    browser.press("0")
    drawn(browser)
    standard = np.array(browser.evaluate(shown), float)
    browser.press("j")
    browser.press(str(int(k)))
    turned = np.array(browser.evaluate(shown), float)
    assert standard.shape == turned.shape
    coloured = (np.ptp(standard.reshape(-1, 4)[:, :3], axis=1) > 60).sum()
    assert coloured > 100, "the outline is there"
    # Compression and the half pixel of a centred picture differ, the picture does not.
    assert np.abs(standard - turned).mean() < 6


def test_large_pictures_are_bearable() -> None:
    views = thumbnails_of(make_phantom("bSSFP", seed=1)).views
    # Some 40 kB of page for an image, so that two thousand are one page.
    assert views is not None and len(views) * 4 / 3 < 40_000


def test_an_outline_stands_where_its_label_ends() -> None:
    volume = make_phantom("bSSFP", size=(64, 64), slices=1)
    label = np.zeros(volume.array.shape, np.uint8)
    label[0, 20:30, 40:52] = 1
    outlines = thumbnails_of(volume, masks=[replace(volume, array=label)]).outlines
    assert outlines is not None
    drawn_at = np.asarray(Image.open(io.BytesIO(outlines)).convert("RGBA"))[..., 3] > 0
    inside = np.zeros((64, 64), bool)
    inside[20:30, 40:52] = True
    inner = np.zeros_like(inside)
    inner[21:29, 41:51] = True
    assert np.array_equal(drawn_at, inside & ~inner)
    assert thumbnails_of(volume, masks=[replace(volume, array=np.zeros_like(label))]).outlines is None


def test_a_run_draws_the_outlines_of_its_masks(browser: Browser, tmp_path: Path) -> None:
    volume, mask = make_phantom("LGE", seed=3, orientation=Orientation.FLIP_VERTICAL, with_mask=True)
    write(volume, tmp_path / "study" / "a.nii.gz")
    write(mask, tmp_path / "study" / "a_seg.nii.gz")
    assert correct(tmp_path / "study", tmp_path / "out", "--masks", "_seg") == 0
    browser.open(tmp_path / "out" / "cmrorient.html")
    assert browser.evaluate("document.querySelectorAll('td[data-outlines]').length") == 1


@pytest.mark.parametrize("width", [375, 500])
def test_on_a_telephone_the_pictures_stay_large(browser: Browser, tmp_path: Path, width: int) -> None:
    record = acted_on("name.nii.gz")
    write_report([record], tmp_path / "page.html", {record.key: thumbnails_of(make_phantom("LGE", seed=1))})
    browser.open(tmp_path / "page.html", size=(width, 800))
    browser.press("j")
    browser.press("Enter")
    drawn(browser)
    assert browser.evaluate("document.querySelector('canvas').getBoundingClientRect().width") >= 250


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [1280, 375])
def test_nothing_sticks_out_of_the_large_view(browser: Browser, tmp_path: Path, width: int, dark: bool) -> None:
    record = acted_on("long/" * 30 + "name.nii.gz")
    write_report([record], tmp_path / "page.html", {record.key: thumbnails_of(make_phantom("LGE", seed=1))})
    browser.open(tmp_path / "page.html", size=(width, 900), dark=dark)
    browser.press("j")
    browser.press("Enter")
    drawn(browser)
    browser.press("3")
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    assert (
        browser.evaluate(
            "(() => { const d = document.querySelector('dialog'); return d.scrollWidth - d.clientWidth; })()"
        )
        <= 0
    )
    browser.press("Escape")
    assert browser.evaluate("document.documentElement.scrollWidth") <= width


def test_without_scripts_there_is_nothing_to_press(browser: Browser, tmp_path: Path) -> None:
    record = undecided("a.nii.gz")
    write_report([record], tmp_path / "page.html", {record.key: Thumbnails(jpeg())})
    browser.scripts(False)
    try:
        browser.open(tmp_path / "page.html")
        for control in (".decide", "#saving", "#decide"):
            assert not browser.evaluate(f"document.querySelector('{control}').checkVisibility()")
        assert browser.evaluate("document.querySelector('.stored img').checkVisibility()")
    finally:
        browser.scripts(True)


def test_two_thousand_images_are_one_page_that_opens(browser: Browser, tmp_path: Path) -> None:
    pictures = replace(thumbnails_of(make_phantom("LGE", seed=1)), after=jpeg())
    records = many(2000)
    shown = {record.key: pictures for record in records if record.error is None}
    pages = write_report(records, tmp_path / "page.html", shown)
    assert len(pages) == 1
    assert pages[0].stat().st_size < 90_000_000
    start = time.perf_counter()
    browser.open(pages[0])
    assert browser.evaluate("document.querySelectorAll('tbody tr').length") == 100
    browser.press("j")
    browser.press("Enter")
    drawn(browser)
    # Two seconds; the machine may be busy.
    assert time.perf_counter() - start < 30
