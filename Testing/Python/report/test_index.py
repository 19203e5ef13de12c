"""Reports of many pages: an index with totals, filters and a search, without a server, in bounded memory."""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from browser import Browser, open_browser
from parts import REPOSITORY
from PIL import Image
from report_samples import acted_on, many, one_of_each, pictures_of, undecided

from CMROrientLib.errors import CMROrientError, UsageError
from CMROrientLib.report.page import page_kind, write_report
from CMROrientLib.run.options import RunOptions
from CMROrientLib.run.overrides import Override, read_all_decisions

ROWS = 100


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as window:
        yield window


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Four hundred and a few images, with names that a page can trip over."""
    place = tmp_path_factory.mktemp("report")
    records = [*many(400), acted_on("</script><b>&amp;'\"x.nii.gz", 1, 0), acted_on("ä/\U0001f600\U0001f601.nii", 2, 2)]
    return write_report(records, place / "run.html", {}, command="cmrorient correct archive -o out", page_rows=ROWS)


def lines(browser: Browser) -> list[int]:
    shown = (
        "[...document.querySelectorAll('#pages tbody tr')].filter((row) => !row.hidden).map((row) => +row.dataset.page)"
    )
    return browser.evaluate(shown)


def click(browser: Browser, selector: str) -> None:
    browser.evaluate(f"document.querySelector({selector!r}).click()")


def test_two_thousand_are_one_page_and_more_are_several(tmp_path: Path) -> None:
    records = many(2001)
    page = tmp_path / "run.html"
    assert write_report(records[:2000], page, {}) == [page]
    assert write_report(records, page, {}) == [page, tmp_path / "run-1.html", tmp_path / "run-2.html"]
    assert page.stat().st_size < 400_000
    (tmp_path / "run-3-notes.html").write_text("mine", encoding="utf-8")
    write_report(records[:2000], page, {})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run-3-notes.html", "run.html"]
    assert page_kind(page) == "report"


def test_an_older_report_of_many_pages_leaves_none(tmp_path: Path) -> None:
    write_report(many(40), tmp_path / "run.html", {}, page_rows=10)
    (tmp_path / "run-1.html").unlink()
    write_report(one_of_each(), tmp_path / "run.html", {})
    assert [path.name for path in tmp_path.iterdir()] == ["run.html"]


def test_only_pages_of_the_same_index_are_removed(tmp_path: Path) -> None:
    """Other reports may be named as the pages of this one would be."""
    for name in ("run-1.html", "run-2.html", "run-3.html"):
        write_report(many(3), tmp_path / name, {})
    write_report(many(30), tmp_path / "run-4.html", {}, page_rows=10)
    others = {path: path.read_bytes() for path in tmp_path.iterdir()}
    write_report(many(3), tmp_path / "run.html", {})
    assert {path: path.read_bytes() for path in tmp_path.iterdir() if path.name != "run.html"} == others


def test_a_page_with_tables_of_its_own_is_not_removed(tmp_path: Path) -> None:
    write_report(many(30), tmp_path / "run.html", {}, page_rows=10)
    (tmp_path / "run-2.jsonl").write_text("{}", encoding="utf-8")
    write_report(many(3), tmp_path / "run.html", {})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run-2.html", "run-2.jsonl", "run.html"]


def test_pages_of_before_that_name_no_index_are_known_by_their_links(tmp_path: Path) -> None:
    for page in write_report(many(30), tmp_path / "run.html", {}, page_rows=10)[1:]:
        text = page.read_text(encoding="utf-8")
        page.write_text(text.replace('<meta name="cmrorient-index" content="run.html">', ""), encoding="utf-8")
        assert page.read_text(encoding="utf-8") != text
    write_report(many(30), tmp_path / "run.html", {}, page_rows=20)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run-1.html", "run-2.html", "run.html"]


@pytest.mark.parametrize(("number", "options"), [(2, {"page_rows": 10}), (3, {"page_bytes": 10_000})])
def test_a_further_page_replaces_no_other_file(tmp_path: Path, number: int, options: dict[str, int]) -> None:
    """Where the number of pages is known nothing at all is written; else nothing over it."""
    mine = tmp_path / f"run-{number}.html"
    for text in ("my own notes", ""):
        if text:
            mine.write_text(text, encoding="utf-8")
        else:
            write_report(many(3), mine, {})
        before = mine.read_bytes()
        with pytest.raises(CMROrientError, match=f"run-{number}.html: .*move the file"):
            write_report(many(30), tmp_path / "run.html", {}, **options)  # type: ignore[arg-type]
        assert mine.read_bytes() == before
        assert not (tmp_path / "run.html").exists()
        assert "page_bytes" in options or [path.name for path in tmp_path.iterdir()] == [mine.name]


def test_the_index_needs_nothing_and_complains_of_nothing(browser: Browser, pages: list[Path]) -> None:
    browser.open(pages[0])
    assert browser.requests() == [pages[0].absolute().as_uri()]
    assert browser.complaints() == []
    assert lines(browser) == [1, 2, 3, 4, 5]
    assert "402 images" in browser.evaluate("document.querySelector('.lead').textContent")


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [1280, 375])
def test_nothing_sticks_out_of_the_index(browser: Browser, pages: list[Path], width: int, dark: bool) -> None:
    browser.open(pages[0], size=(width, 900), dark=dark)
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    outside = (
        "[...document.querySelectorAll('body *')].filter((e) => e.checkVisibility()"
        " && !e.closest('.skip, .unseen, .scroll') && e.getBoundingClientRect().right > innerWidth + 1)"
        ".map((e) => e.outerHTML)"
    )
    assert browser.evaluate(outside) == []
    shot = browser.screenshot()
    if "CMRORIENT_SHOTS" in os.environ:
        (Path(os.environ["CMRORIENT_SHOTS"]) / f"index-{width}-{'dark' if dark else 'light'}.png").write_bytes(shot)
    light = np.asarray(Image.open(io.BytesIO(shot)).convert("L"))[:8, :8].mean()
    assert light < 60 if dark else light > 200


def test_filters_over_pages(browser: Browser, pages: list[Path]) -> None:
    browser.open(pages[0])
    click(browser, "[data-show=error]")
    with_errors = lines(browser)
    assert with_errors and with_errors != [1, 2, 3, 4, 5]
    address = browser.evaluate("document.querySelector('#pages tbody tr:not([hidden]) th a').getAttribute('href')")
    assert address == f"run-{with_errors[0]}.html#show=error"
    browser.open(pages[with_errors[0]], "#show=error")
    shown = "[...document.querySelectorAll('tbody tr')].map((row) => row.dataset.tags)"
    assert set(browser.evaluate(shown)) == {"error"}
    browser.open(pages[0])
    click(browser, "[data-class='3']")
    of_class = lines(browser)
    click(browser, "#clear")
    assert lines(browser) == [1, 2, 3, 4, 5] and len(of_class) < 5


def test_search_finds_every_name(browser: Browser, pages: list[Path]) -> None:
    browser.open(pages[0])
    for words, name in (
        ("patient_000399", "archive/centre_0/patient_000399/visit_1/cine_short_axis.nii.gz"),
        ("script", "</script><b>&amp;'\"x.nii.gz"),
        ("ä", "ä/\U0001f600\U0001f601.nii"),
    ):
        browser.evaluate("(() => { search.value = ''; search.focus(); })()")
        browser.type(words)
        time.sleep(0.4)
        found = browser.evaluate(
            "[...document.querySelectorAll('#found a')].map((a) => [a.textContent, a.getAttribute('href')])"
        )
        assert [text for text, _ in found] == [name]
        page, _, fragment = found[0][1].partition("#")
        browser.open(pages[0].with_name(page), f"#{fragment}")
        assert browser.evaluate("[...document.querySelectorAll('tbody tr')].map((row) => row.dataset.path)") == [name]
        browser.open(pages[0])
    assert browser.complaints() == []


def test_decisions_of_all_pages_become_one_run(browser: Browser, pages: list[Path], tmp_path: Path) -> None:
    """Each page saves its own; where the browser lets it, the index saves all."""
    records = many(40)
    made = write_report(records, tmp_path / "run.html", pictures_of(records), page_rows=20)
    browser.downloads_to(tmp_path / "saved")
    decided = {}
    for page, choice in zip(made[1:], "36", strict=True):
        browser.open(page)
        decided[browser.evaluate("document.querySelector('tr[data-found]').dataset.path")] = choice
        click(browser, "tr[data-found] .decide")
        click(browser, f"#decide input[value='{choice}']")
        click(browser, "#save")
    assert "--decisions FOLDER" in browser.evaluate("document.getElementById('next').textContent")
    saved = waited(tmp_path / "saved", 2)
    assert [path.name for path in saved] == ["decisions-1.csv", "decisions-2.csv"]
    table = read_all_decisions([tmp_path / "saved"])
    assert {key[0]: str(int(override.orientation or 0)) for key, override in table.rows.items()} == decided
    browser.open(made[0])
    assert "2 decisions on 2 pages" in browser.evaluate("document.getElementById('decided').textContent")
    click(browser, "#saving #save")
    everything = next(path for path in waited(tmp_path / "saved", 3) if path.name == "decisions.csv")
    rows = list(csv.DictReader(io.StringIO(everything.read_text(encoding="utf-8-sig"))))
    assert {row["path"]: row["orientation"] for row in rows} == decided


def decide(browser: Browser, page: Path, name: str, choice: str) -> None:
    browser.open(page)
    click(browser, f"tr[data-path='{name}'] .decide")
    click(browser, f"#decide input[value='{choice}']")


def test_the_index_hands_out_no_decision_twice_and_none_that_a_run_took_over(browser: Browser, tmp_path: Path) -> None:
    """The image is on another page once it is decided, and what was decided on the first one is done."""
    records = [*map(undecided, ("a.nii", "b.nii", "c.nii")), *(acted_on(f"{n}.nii") for n in range(4))]
    browser.downloads_to(tmp_path / "saved")
    index, first, *_ = write_report(records, tmp_path / "run.html", pictures_of(records), page_rows=2)
    decide(browser, first, "a.nii", "3")
    click(browser, "#save")
    decide(browser, first, "b.nii", "1")
    waited(tmp_path / "saved", 1)[0].unlink()
    # A run takes over what was saved.
    records[0] = acted_on("a.nii", 3, 3, decided_by="user")
    pages = write_report(records, index, pictures_of(records), page_rows=2)
    [now] = [page for page in pages[1:] if 'data-path="a.nii"' in page.read_text(encoding="utf-8")]
    assert now != first
    browser.open(now)
    browser.open(index)
    told = "document.getElementById('decided').textContent"
    assert "1 decision on 1 page" in browser.evaluate(told), "b.nii, which is in no file yet"
    decide(browser, now, "a.nii", "6")
    browser.open(index)
    click(browser, "#saving #save")
    [path] = waited(tmp_path / "saved", 1)
    assert {key[0]: override.orientation for key, override in read_all_decisions([path]).rows.items()} == {
        "a.nii": 6,
        "b.nii": 1,
    }
    assert browser.complaints() == []


def test_the_index_leaves_what_was_saved_from_an_earlier_report(browser: Browser, tmp_path: Path) -> None:
    records = [undecided("a.nii"), *(acted_on(f"{n}.nii") for n in range(4))]
    browser.downloads_to(tmp_path / "saved")
    index, first, *_ = write_report(records, tmp_path / "run.html", pictures_of(records), page_rows=2)
    hidden = "document.getElementById('saving').hidden"
    decide(browser, first, "a.nii", "3")
    click(browser, "#save")
    browser.open(index)
    assert not browser.evaluate(hidden)
    records[0] = acted_on("a.nii", 3, 3, decided_by="user")
    write_report(records, index, pictures_of(records), page_rows=2)
    browser.open(index)
    assert browser.evaluate(hidden)


def test_the_index_leaves_what_was_decided_of_an_image_that_is_gone(browser: Browser, tmp_path: Path) -> None:
    """Decided and never saved; then the image was taken out of the archive, and a table with it would be refused."""
    records = [undecided("gone.nii"), undecided("stays.nii"), *(acted_on(f"{n}.nii") for n in range(4))]
    browser.downloads_to(tmp_path / "saved")
    index, first, *_ = write_report(records, tmp_path / "run.html", pictures_of(records), page_rows=2)
    decide(browser, first, "gone.nii", "3")
    decide(browser, first, "stays.nii", "3")
    write_report(records[1:], index, pictures_of(records), page_rows=2)
    browser.open(index)
    click(browser, "#saving #save")
    [path] = waited(tmp_path / "saved", 1)
    assert [key[0] for key in read_all_decisions([path]).rows] == ["stays.nii"]


def waited(folder: Path, count: int) -> list[Path]:
    for _ in range(100):
        if len(found := sorted(folder.glob("*.csv"))) == count:
            return found
        time.sleep(0.1)
    raise AssertionError(f"{count} files were to be saved: {sorted(folder.iterdir())}")


def test_several_tables_are_one(tmp_path: Path) -> None:
    for name, rows in (("a", "x.nii,1\n"), ("b", "y.nii,not-short-axis\n"), ("c", "x.nii,2\n")):
        (tmp_path / f"{name}.csv").write_text(f"path,orientation\n{rows}", encoding="utf-8")
    a, b = (tmp_path / f"{name}.csv" for name in "ab")
    options = RunOptions(inputs="in", decisions=[a, b])  # type: ignore[arg-type]
    table = read_all_decisions(options.decisions)
    assert table.rows == {("x.nii", None): Override(1), ("y.nii", None): Override(None, "not_short_axis")}  # type: ignore[arg-type]
    assert RunOptions(inputs="in", decisions=a).decisions == (a,)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=r"contradicts .*a\.csv about x\.nii"):
        read_all_decisions([tmp_path])
    with pytest.raises(UsageError, match=r"/b\.csv: .*not among the inputs: y\.nii"):
        table.check_all_used([("x.nii", None)])
    (tmp_path / "none").mkdir()
    with pytest.raises(UsageError, match=r"no \.csv in this folder"):
        read_all_decisions([tmp_path / "none"])


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from Linux's /proc")
def test_memory_stays_the_same_for_any_number_of_images(tmp_path: Path) -> None:
    """Records and pictures of a store; the whole number in ``make test-long``."""
    count = 100_000 if "CMRORIENT_LONG" in os.environ else 5_000
    peaks = []
    for images in (500, count):
        done = subprocess.run(
            [sys.executable, REPOSITORY / "Testing" / "scale" / "pages.py", str(images), tmp_path / str(images)],
            capture_output=True,
            text=True,
            check=True,
        )
        pages, peak = done.stdout.split()
        assert int(pages) == (1 if images <= 2000 else 1 + -(-images // 2000))
        peaks.append(float(peak))
    assert peaks[1] - peaks[0] < 30, peaks
