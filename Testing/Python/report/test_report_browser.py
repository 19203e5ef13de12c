"""The report in headless Chromium: filters, keyboard, screen reader, widths, colours, speed, paper."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
from browser import Browser, open_browser
from PIL import Image
from report_samples import acted_on, jpeg, many, one_of_each, pictures_of

from CMROrientLib.audit.page import AUDIT
from CMROrientLib.report.page import write_report
from CMROrientLib.run.pictures.thumbnails import Thumbnails
from CMROrientLib.run.record import Record

WIDTHS = (1400, 900, 390)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as window:
        yield window


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with one image of each kind."""
    path = tmp_path_factory.mktemp("report") / "cmrorient.html"
    records = one_of_each()
    write_report(records, path, pictures_of(records), command="cmrorient correct in -o out --masks _seg,_gt --jobs 2")
    return path


@pytest.fixture(scope="module")
def long_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of 1,350 images."""
    path = tmp_path_factory.mktemp("report") / "cmrorient.html"
    write_report(many(1350), path, {})
    return path


def shown(browser: Browser) -> list[str]:
    return browser.evaluate("[...document.querySelectorAll('tbody tr')].map((row) => row.dataset.path)")


def told(browser: Browser) -> str:
    return browser.evaluate("document.getElementById('count').textContent")


def click(browser: Browser, selector: str) -> None:
    browser.evaluate(f"document.querySelector({json.dumps(selector)}).click()")


def focused(browser: Browser) -> str:
    return browser.evaluate("document.activeElement.id || document.activeElement.textContent")


def test_the_page_needs_nothing_and_complains_of_nothing(browser: Browser, page: Path) -> None:
    browser.open(page)
    assert browser.requests() == [page.absolute().as_uri()]
    assert browser.complaints() == []
    broken = "[...document.images].filter((image) => !image.complete || !image.naturalWidth).length"
    assert browser.evaluate(broken) == 0
    assert browser.evaluate("document.images.length") == len([*pictures_of(one_of_each())]) + 3


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_sticks_out(browser: Browser, page: Path, width: int, dark: bool) -> None:
    browser.open(page, size=(width, 900), dark=dark)
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    outside = (
        "[...document.querySelectorAll('body *')].filter((e) => e.checkVisibility() && !e.closest('.skip, .unseen')"
        " && !e.closest('thead') && e.getBoundingClientRect().right > innerWidth + 1).map((e) => e.outerHTML)"
    )
    assert browser.evaluate(outside) == []
    light = np.asarray(Image.open(io.BytesIO(browser.screenshot())).convert("L"))[:8, :8].mean()
    assert light < 60 if dark else light > 200


def test_long_names_break(browser: Browser, tmp_path: Path) -> None:
    records = [acted_on("x" * 300 + "/" + "y" * 200 + ".nii.gz", 1, 1, series="1." * 40, words="w" * 400)]
    write_report(records, tmp_path / "page.html", pictures_of(records), command="c" * 500)
    for width in WIDTHS:
        browser.open(tmp_path / "page.html", size=(width, 900))
        assert browser.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("dark", [False, True])
def test_text_stands_out(browser: Browser, page: Path, dark: bool) -> None:
    """Contrast of WCAG 2.2 AA, 4.5 to 1, for every text that is seen."""
    browser.open(page, size=(1400, 900), dark=dark)
    browser.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    script = """
        (() => {
          const parse = (text) => text.match(/[\\d.]+/g).map(Number);
          const light = ([r, g, b]) => {
            const linear = [r, g, b].map((v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
            return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
          };
          const ground = (element) => {
            for (let e = element; e; e = e.parentElement) {
              const colour = parse(getComputedStyle(e).backgroundColor);
              if (colour.length === 3 || colour[3] === 1) return colour;
            }
            return [255, 255, 255];
          };
          const found = [];
          const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
          while (walker.nextNode()) {
            const element = walker.currentNode.parentElement;
            const text = walker.currentNode.data.trim();
            if (!text || !element.checkVisibility() || element.closest("script, noscript")) continue;
            const pair = [light(parse(getComputedStyle(element).color)), light(ground(element))];
            pair.sort((a, b) => b - a);
            found.push([(pair[0] + 0.05) / (pair[1] + 0.05), text]);
          }
          return found;
        })()
    """
    contrasts = browser.evaluate(script)
    assert len(contrasts) > 80
    assert [entry for entry in contrasts if entry[0] < 4.5] == []


def test_a_click_shows_one_group(browser: Browser, page: Path) -> None:
    browser.open(page)
    assert told(browser) == "All 7 shown"
    click(browser, "[data-show=uncertain]")
    assert shown(browser) == ["b/undecided.nii.gz"]
    assert told(browser) == "1 of 7 match"
    assert browser.evaluate("document.querySelector('[data-show=uncertain]').getAttribute('aria-current')") == "true"
    click(browser, "[data-show=uncertain]")
    assert told(browser) == "All 7 shown"
    click(browser, "[data-class='5']")
    assert shown(browser) == ["e/turned.nii.gz"]


def test_a_view_can_be_kept_and_gone_back_to(browser: Browser, page: Path) -> None:
    browser.open(page, "#show=error")
    assert shown(browser) == ["c/broken.nii.gz"]
    click(browser, "[data-show=all]")
    assert len(shown(browser)) == 7
    browser.evaluate("new Promise((done) => { addEventListener('popstate', () => done()); history.back(); })")
    assert shown(browser) == ["c/broken.nii.gz"]
    browser.open(page, f"#q={quote('cut short')}&sort=path-")
    assert shown(browser) == ["c/broken.nii.gz"]
    assert browser.evaluate("document.getElementById('search').value") == "cut short"


@pytest.mark.parametrize("fragment", ["#show=nothing", "#sort=constructor", "#class=99", "#%%%", "#q=%3Cscript%3E"])
def test_a_strange_address_does_no_harm(browser: Browser, page: Path, fragment: str) -> None:
    browser.open(page, fragment)
    assert browser.complaints() == []
    click(browser, "[data-show=all]")
    click(browser, "#clear")
    assert told(browser) == "All 7 shown"


def test_searching(browser: Browser, page: Path) -> None:
    browser.open(page)
    browser.evaluate("document.getElementById('search').focus()")
    browser.type("FLIPPED mirrored")
    browser.evaluate("new Promise((done) => setTimeout(done, 250))")
    assert shown(browser) == ["a/mirrored.nii.gz"]
    browser.type(" nowhere")
    browser.evaluate("new Promise((done) => setTimeout(done, 250))")
    assert shown(browser) == []
    assert browser.evaluate("document.getElementById('empty').checkVisibility()")
    assert not browser.evaluate("document.querySelector('.rows').checkVisibility()")
    click(browser, "#clear")
    assert len(shown(browser)) == 7
    assert focused(browser) == "search"


def test_sorting(browser: Browser, page: Path) -> None:
    browser.open(page)
    click(browser, "th[data-sort=path] button")
    assert shown(browser) == sorted(record.path for record in one_of_each())
    assert browser.evaluate("document.querySelector('th[data-sort=path]').ariaSort") == "ascending"
    click(browser, "th[data-sort=path] button")
    assert shown(browser) == sorted((record.path for record in one_of_each()), reverse=True)
    assert browser.evaluate("document.querySelector('th[data-sort=path]').ariaSort") == "descending"
    browser.evaluate("(() => { order.value = 'confidence'; order.dispatchEvent(new Event('change')); })()")
    assert shown(browser)[:2] == ["c/broken.nii.gz", "b/undecided.nii.gz"]
    assert browser.evaluate("document.querySelectorAll('[aria-sort]').length") == 0


def test_names_sort_as_people_count(browser: Browser, tmp_path: Path) -> None:
    records = [acted_on(f"case{n}", 1, 1) for n in (10, 9, 1)]
    write_report(records, tmp_path / "page.html", {})
    browser.open(tmp_path / "page.html", "#sort=path")
    assert shown(browser) == ["case1", "case9", "case10"]


def test_a_hundred_at_a_time(browser: Browser, long_page: Path) -> None:
    browser.open(long_page)
    assert len(shown(browser)) == 100
    assert told(browser) == "All 1,350, the first 100 shown"
    click(browser, "#more")
    assert len(shown(browser)) == 200
    assert browser.evaluate("document.activeElement.parentElement.rowIndex") == 101
    assert browser.evaluate("document.getElementById('many').textContent") == "Show 1,000 more"
    click(browser, "#many")
    assert len(shown(browser)) == 1200
    click(browser, "#many")
    assert len(shown(browser)) == 1350
    assert told(browser) == "All 1,350 shown"
    assert not browser.evaluate("document.getElementById('more').checkVisibility()")
    assert sorted(shown(browser)) == sorted(record.path for record in many(1350))


def test_search_reaches_what_is_not_shown(browser: Browser, long_page: Path) -> None:
    browser.open(long_page, "#q=patient_001303")
    assert [path.split("/")[2] for path in shown(browser)] == ["patient_001303"]


def test_search_finds_what_was_escaped(browser: Browser, tmp_path: Path) -> None:
    """Rows that are not shown yet are searched as text, in which names from outside are escaped."""
    name = "z/a \"b\" 'c' & <d>.nii.gz"
    records = [*many(150), acted_on(name, 0, 0)]
    write_report(records, tmp_path / "page.html", {})
    for word in ('"b"', "'c'", "&", "<d>"):
        browser.open(tmp_path / "page.html", f"#q={quote(word)}")
        assert shown(browser) == [name], word


def test_without_scripts_everything_is_there(browser: Browser, long_page: Path) -> None:
    browser.scripts(False)
    try:
        browser.open(long_page)
        assert len(shown(browser)) == 1350
        assert not browser.evaluate("document.querySelector('.bar').checkVisibility()")
        browser.open(long_page, "#show=error")
        assert browser.evaluate("scrollY") > 1000
    finally:
        browser.scripts(True)


def test_by_keyboard_alone(browser: Browser, page: Path) -> None:
    browser.open(page)
    stops = []
    for _ in range(40):
        browser.press("Tab")
        stops.append(focused(browser))
        outline = browser.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none", stops[-1]
        if stops[-1] == "Undecided" or "Undecided" in stops[-1]:
            break
    assert stops[0] == "Skip to the table"
    browser.press("Enter")
    assert shown(browser) == ["b/undecided.nii.gz"]
    for _ in range(40):
        browser.press("Tab")
        if focused(browser) == "clear":
            break
    browser.press("Enter")
    assert len(shown(browser)) == 7
    for _ in range(10):
        browser.press("Tab")
        if focused(browser) == "Image":
            break
    browser.press("Enter")
    assert shown(browser)[0] == "a/mirrored.nii.gz"


def test_skipping_to_the_table_keeps_the_view(browser: Browser, page: Path) -> None:
    browser.open(page, "#show=error", size=(390, 700))
    browser.press("Tab")
    assert focused(browser) == "Skip to the table"
    browser.press("Enter")
    assert browser.evaluate("location.hash") == "#images"
    assert shown(browser) == ["c/broken.nii.gz"]
    assert browser.evaluate("scrollY") > 300


def test_what_a_screen_reader_finds(browser: Browser, page: Path) -> None:
    for width in WIDTHS:
        browser.open(page, size=(width, 900))
        spoken = browser.spoken()
        roles = [role for role, _ in spoken]
        assert ("table", "Images, what needs a person first") in spoken
        assert roles.count("row") == 8
        assert roles.count("rowheader") == 7
        assert roles.count("columnheader") == 6
        assert ("searchbox", "Search in names, findings and errors") in spoken
        assert ("combobox", "Order") in spoken
        assert roles.count("status") == 1
        assert roles.count("heading") == 3
        assert ("image", "Middle slice as stored") in spoken
        assert any(role == "image" and name.startswith("Votes: 9 ") for role, name in spoken)
        assert ("link", "1 Undecided") in spoken
        assert [name for role, name in spoken if role in ("image", "link", "button") and not name] == []


def test_names_from_outside_are_only_text(browser: Browser, tmp_path: Path) -> None:
    nasty = "<img src=x onerror=document.title='hit'>&amp;\"'>.nii.gz"
    records = [acted_on(nasty, 1, 2, words=nasty, note=nasty), Record(path="b" + nasty, error=nasty), *many(150)]
    write_report(records, tmp_path / "page.html", {}, command=nasty)
    browser.open(tmp_path / "page.html", f"#q={quote(nasty)}")
    assert shown(browser) == [nasty, "b" + nasty]
    assert browser.evaluate("document.querySelector('tbody .path').textContent") == nasty
    click(browser, "#clear")
    click(browser, "#many")
    assert len(shown(browser)) == 152
    assert browser.evaluate("document.title") == "Orientation report"
    assert browser.evaluate("document.querySelectorAll('img').length") == 0


def test_a_script_that_got_in_would_not_run(browser: Browser, page: Path, tmp_path: Path) -> None:
    text = page.read_text(encoding="utf-8")
    (tmp_path / "page.html").write_text(
        text.replace("</header>", "</header><script>document.title = 'hit'</script><p onclick=\"x()\">"),
        encoding="utf-8",
    )
    browser.open(tmp_path / "page.html")
    assert browser.evaluate("document.title") == "Orientation report"
    assert any("Content Security Policy" in line for line in browser.complaints())


def test_ten_thousand_images_open_and_filter_at_once(browser: Browser, tmp_path: Path) -> None:
    records = many(10_000)
    pictures = Thumbnails(jpeg(1), jpeg(2))
    pages = write_report(
        records,
        tmp_path / "page.html",
        {record.key: pictures for record in records if record.error is None},
        page_rows=len(records),
    )
    assert len(pages) == 1
    browser.open(tmp_path / "page.html")
    assert told(browser) == "All 10,000, the first 100 shown"
    # What makes it fast: one to two seconds on two idle cores, sixteen with every row laid out.
    assert browser.evaluate("document.querySelectorAll('tbody tr').length") == 100
    assert browser.evaluate("document.images.length") <= 200
    filtering = "(() => { const from = performance.now(); show(); return performance.now() - from; })()"
    for selector, found in (("[data-show=uncertain]", 100), ("[data-class='3']", 2), ("[data-show=all]", 100)):
        script = filtering.replace("show()", f"document.querySelector({json.dumps(selector)}).click()")
        # Some 20 ms; the machine may be busy.
        assert browser.evaluate(script) < 5000
        assert len(shown(browser)) <= found
    browser.open(tmp_path / "page.html", "#q=patient_009999&sort=confidence-")
    assert len(shown(browser)) == 1


def test_paper(browser: Browser, page: Path) -> None:
    browser.open(page, dark=True)
    assert browser.printed().startswith(b"%PDF")
    browser.paper(True)
    try:
        assert browser.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        for control in (".bar", ".help", ".rows details"):
            assert not browser.evaluate(f"document.querySelector('{control}').checkVisibility()")
        assert (
            browser.evaluate("getComputedStyle(document.querySelector('.rows thead')).display") == "table-header-group"
        )
        assert len(shown(browser)) == 7
    finally:
        browser.paper(False)


def test_the_audits_page(browser: Browser, tmp_path: Path) -> None:
    records = one_of_each()
    write_report(records, tmp_path / "audit.html", pictures_of(records), style=AUDIT, title="Header audit")
    for width in WIDTHS:
        browser.open(tmp_path / "audit.html", size=(width, 900))
        assert browser.complaints() == []
        assert browser.evaluate("document.documentElement.scrollWidth") <= width
        assert shown(browser)[0] == "a/mirrored.nii.gz"
