"""The report as a file: what it shows, in which order, that it is valid, safe and small enough."""

from __future__ import annotations

import base64
import errno
import hashlib
import os
import re
import tracemalloc
from pathlib import Path
from typing import get_type_hints
from urllib.parse import unquote_to_bytes
from xml.etree.ElementTree import Element

import markupsafe
import numpy as np
import parts
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pages import pictures_on
from report_samples import MODEL, acted_on, failed, jpeg, many, one_of_each, pictures_of, undecided

from CMROrientLib.errors import CMROrientError
from CMROrientLib.orientation import Orientation
from CMROrientLib.recognition.wording import confidence_words
from CMROrientLib.report import page as page_module
from CMROrientLib.report.page import page_kind, write_report
from CMROrientLib.report.rows import Detail, PixelsView, RowView, VotesBar, votes_bar
from CMROrientLib.report.style import Kind, Phrase, Sums, SumsLine
from CMROrientLib.report.summary import Place, RunFacts, address
from CMROrientLib.report.templating import glyph_css, presentable
from CMROrientLib.report.wording import votes_words
from CMROrientLib.run.pictures.thumbnails import Thumbnails
from CMROrientLib.run.record import Record

html5lib = parts.need_module("html5lib")

NASTY = "<img src=x onerror=alert(1)>\"&'</td><script>alert(2)</script>\n\r\t\x00\x1b\udc80\u202e.nii.gz"


def parsed(page: Path, *, scripting: bool = False) -> Element:
    """The page as a browser understands it; any error of HTML syntax fails the test."""
    parser = html5lib.HTMLParser(tree=html5lib.getTreeBuilder("etree"), namespaceHTMLElements=False)
    tree = parser.parse(page.read_text(encoding="utf-8"), scripting=scripting)
    assert parser.errors == []
    return tree


def text_of(element: Element) -> str:
    return " ".join("".join(element.itertext()).split())


def rows_of(page: Path) -> list[Element]:
    return parsed(page).findall(".//tbody/tr")


def written(tmp_path: Path, records: list[Record], **more: object) -> Path:
    page = tmp_path / "cmrorient.html"
    write_report(records, page, pictures_of(records), **more)  # type: ignore[arg-type]
    return page


def test_what_needs_a_person_comes_first(tmp_path: Path) -> None:
    paths = [row.get("data-path") for row in rows_of(written(tmp_path, one_of_each()))]
    assert [path.partition("/")[0] for path in paths] == list("abcdefg")


def test_counts_lead_and_facts(tmp_path: Path) -> None:
    page = written(tmp_path, one_of_each(), command="cmrorient correct in -o out --masks _seg", version="9.8.7")
    tree = parsed(page)
    tiles = {text_of(tile).partition(" ")[2]: text_of(tile).partition(" ")[0] for tile in tree.iterfind(".//nav//a")}
    assert tiles == {
        "Images": "7",
        "Conflict": "1",
        "Undecided": "1",
        "Error": "1",
        "Reoriented": "3",
        "Standard": "1",
        "Left alone": "1",
    }
    lead = text_of(tree.find(".//p[@class='lead']"))
    assert lead.startswith("7 images: 3 turned from another orientation, 1 already standard, 1 left alone.")
    assert lead.endswith("1 conflict, 1 undecided and 1 error need a look.")
    facts = text_of(tree.find(".//dl"))
    assert "cmrorient correct in -o out --masks _seg" in facts
    assert "universal, sha256 0123456789ab" in facts
    assert "CMROrient 9.8.7" in facts
    links = [link.get("href") for link in tree.iterfind(".//dl//a")]
    assert links == ["cmrorient.jsonl", "cmrorient.csv"]
    classes = [text_of(entry) for entry in tree.iterfind(".//b/..[@data-class]")]
    assert [int(entry.split()[0]) for entry in classes] == [1, 1, 0, 0, 0, 1, 1, 0]


def test_a_clean_run_says_so(tmp_path: Path) -> None:
    page = written(tmp_path, [acted_on("a.nii.gz", 0, 0)])
    assert text_of(parsed(page).find(".//p[@class='lead']")) == "1 image: 1 already standard. Nothing is left open."


def test_no_image_at_all(tmp_path: Path) -> None:
    page = written(tmp_path, [])
    assert rows_of(page) == []
    assert "No image was found." in text_of(parsed(page).find(".//main"))


def test_a_row_tells_what_was_done(tmp_path: Path) -> None:
    record = acted_on(
        "centre/case.nii.gz",
        5,
        4,
        series="1.2.3",
        scanner="GE MEDICAL SYSTEMS Signa",
        masks=[{"path": "case_seg.nii.gz", "sha256_in": "ab"}],
        note="a note",
    )
    pictures = {record.key: Thumbnails(b"before", b"after")}
    page = tmp_path / "page.html"
    write_report([record], page, pictures)
    (row,) = rows_of(page)
    head, stored, corrected, finding, pixels, header = list(row)
    assert head.tag == "th" and head.get("scope") == "row"
    told = text_of(head)
    for part in (
        "centre/case.nii.gz",
        "series 1.2.3",
        "GE MEDICAL SYSTEMS Signa",
        "with 1 mask",
        "directions by class 4",
    ):
        assert part in told
    for cell, content, words in ((stored, b"before", "stored"), (corrected, b"after", "corrected")):
        image = cell.find("img")
        assert image.get("src") == "data:image/jpeg;base64," + base64.b64encode(content).decode()
        assert image.get("alt") == f"Middle slice as {words}"
    assert [badge.text for badge in finding.iterfind("span/span")] == ["Conflict", "Reoriented"]
    assert record.finding is not None and record.finding.words in text_of(finding)
    assert "a note" in text_of(finding)
    assert "turned by 90° clockwise" in text_of(pixels) and "9 of 10 slices" in text_of(pixels)
    assert pixels.find("*[@role='img']").get("aria-label") == ("Votes: 9 turned by 90° clockwise, 1 standard")
    assert text_of(header) == "transposed class 4"


def test_only_a_certain_class_can_be_contradicted(tmp_path: Path) -> None:
    records = [
        undecided("a", p=1, h=0),
        acted_on("b", 1, 0, decision="not_short_axis", output=None),
        acted_on("c", 1, 0, error="the disk is full", output=None),
        acted_on("d", 1, 0),
    ]
    tags = {row.get("data-path"): row.get("data-tags") for row in rows_of(written(tmp_path, records))}
    assert tags == {"a": "uncertain", "b": "not_short_axis", "c": "error", "d": "conflict reoriented"}


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (failed("x", "is cut short: 12 of 99 voxels"), "is cut short: 12 of 99 voxels"),
        (undecided("x"), "perhaps"),
        (acted_on("x", 3, None), "says nothing"),
        (acted_on("x", 3, None, header_state="other_plane", conflict=True), "names another plane"),
        (acted_on("x", 3, 3, decided_by="user", votes=[0] * 8), "Decided by a person"),
        (acted_on("x", 3, 1, output=None, note="conflict of pixels and header: skipped"), "not written"),
        (acted_on("x", 0, 0), "as stored"),
    ],
)
def test_every_outcome_is_told(tmp_path: Path, record: Record, words: str) -> None:
    (row,) = rows_of(written(tmp_path, [record]))
    assert words in text_of(row)


def test_nothing_from_outside_becomes_markup(tmp_path: Path) -> None:
    record = acted_on(NASTY, 1, 2, series=NASTY, scanner=NASTY, words=NASTY, note=NASTY, output=NASTY)
    records = [record, failed(NASTY + "2", NASTY)]
    page = written(tmp_path, records, command=NASTY, model=f"{NASTY}@{NASTY}", version=NASTY, title=NASTY)
    tree = parsed(page)
    assert len(tree.findall(".//script")) == 1
    assert [image for image in tree.iter("img") if not image.get("src", "").startswith("data:image/jpeg;base64,")] == []
    assert [name for element in tree.iter() for name in element.attrib if str(name).startswith("on")] == []
    (first, second) = tree.findall(".//tbody/tr")
    shown = text_of(first.find("th/bdi"))
    assert shown.startswith("<img src=x onerror=alert(1)>\"&'</td><script>alert(2)</script>")
    assert text_of(second.find("td/p[@class='reason']")).startswith("<img src=x")


def test_a_policy_lets_only_the_pages_own_script_run(tmp_path: Path) -> None:
    tree = parsed(written(tmp_path, one_of_each()))
    policy = tree.find(".//meta[@http-equiv='Content-Security-Policy']").get("content")
    assert "default-src 'none'" in policy
    for element, directive in (("script", "script-src"), ("style", "style-src")):
        digest = base64.b64encode(hashlib.sha256(tree.find(f".//{element}").text.encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}'" in policy


def test_nothing_points_outside(tmp_path: Path) -> None:
    text = written(tmp_path, one_of_each()).read_text(encoding="utf-8")
    assert re.findall(r"https?:|//[a-z]+\.", text) == []
    assert "url(" not in text and "@import" not in text


@given(st.lists(st.text(max_size=40), min_size=1, max_size=4, unique=True), st.text(max_size=30) | st.none())
@settings(max_examples=60, deadline=None)
def test_pictures_are_found_again_under_any_name(
    tmp_path_factory: pytest.TempPathFactory, paths: list[str], series: str | None
) -> None:
    page = tmp_path_factory.mktemp("page") / "page.html"
    records = [acted_on(path, 1, 1, series=series) for path in paths]
    pictures = {record.key: Thumbnails(bytes([n, 1, 2]), bytes([n])) for n, record in enumerate(records)}
    write_report(records, page, pictures)
    found = pictures_on(page)
    plain = {key: value for key, value in pictures.items() if all((c >= " " and c not in "\x7f") for c in f"{key}")}
    for key, value in plain.items():
        if key in found:
            assert found[key] == value
    printable = [key for key in pictures if "".join(filter(None, key)).isprintable()]
    assert set(printable) <= set(found)


def test_large_reports_are_split(tmp_path: Path) -> None:
    records = many(40)
    page = tmp_path / "run.html"
    pages = write_report(records, page, pictures_of(records), page_bytes=60_000)
    index, *pages = pages
    assert (index.name, [path.name for path in pages[:3]]) == ("run.html", ["run-1.html", "run-2.html", "run-3.html"])
    assert all(path.stat().st_size < 60_000 + 60_000 for path in pages)
    paths = [row.get("data-path") for path in pages for row in rows_of(path)]
    assert sorted(paths) == sorted(record.path for record in records)
    navigation = parsed(pages[1]).find(".//nav[@aria-label='Pages']")
    assert next(link.get("href") for link in navigation.iter("a")) == "run.html"
    assert navigation.find(".//span[@aria-current='page']").text == "Page 2"
    addresses = [link.get("href") for link in navigation.iter("a")]
    assert addresses == ["run.html", "run-1.html", "run-3.html"]
    # Every page tells the whole run, and its links stay on it.
    assert "40 images" in text_of(parsed(pages[-1]).find(".//p[@class='lead']"))
    # A smaller report leaves no pages of the larger one, and no other file is touched.
    (tmp_path / "run-3-notes.html").write_text("mine", encoding="utf-8")
    write_report(records[:2], page, {})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run-3-notes.html", "run.html"]


def test_links_of_every_page_jump_to_the_first_of_a_group_on_it(tmp_path: Path) -> None:
    records = many(40)
    pages = write_report(records, tmp_path / "run.html", pictures_of(records), page_bytes=60_000)
    assert len(pages) > 3
    for page in pages[1:]:
        seen: set[str] = set()
        for row in rows_of(page):
            tags = row.get("data-tags").split()
            anchors = [anchor.get("id") for anchor in row.iterfind("th/span[@id]")]
            assert anchors == [f"show={tag}" for tag in tags if tag not in seen]
            seen.update(tags)


def test_a_page_of_any_name_is_linked(tmp_path: Path) -> None:
    records = many(12)
    page = tmp_path / "a&b 100%.html"
    pages = write_report(records, page, pictures_of(records), page_bytes=30_000)
    assert len(pages) > 1
    links = [link.get("href") for link in parsed(pages[1]).iterfind(".//nav[@aria-label='Pages']//a")]
    assert links[0] == "a%26b%20100%25.html"
    assert next(link.get("href") for link in parsed(page).iterfind(".//dl//a")) == "a%26b%20100%25.jsonl"
    # Names of files need not be valid text.
    assert unquote_to_bytes(address("x\udcff")) == os.fsencode("x\udcff")


def test_pages_of_others_are_never_removed(tmp_path: Path) -> None:
    (tmp_path / "run-2.html").write_text("mine", encoding="utf-8")
    write_report(one_of_each(), tmp_path / "run.html", {})
    assert (tmp_path / "run-2.html").read_text(encoding="utf-8") == "mine"
    assert page_kind(tmp_path / "run-2.html") is None
    assert page_kind(tmp_path / "run.html") == "report"


def test_without_a_script_all_rows_are_there(tmp_path: Path) -> None:
    records = many(250)
    page = tmp_path / "page.html"
    write_report(records, page, {})
    assert len(rows_of(page)) == 250
    # With scripts the rest is text, which costs a browser nothing.
    assert len(parsed(page, scripting=True).findall(".//tbody/tr")) == 100


def test_ten_thousand_images_fit_on_one_page(tmp_path: Path) -> None:
    records = many(10_000)
    shared = Thumbnails(jpeg(1), jpeg(2))
    page = tmp_path / "page.html"
    pictures = {record.key: shared for record in records if record.error is None}
    pages = write_report(records, page, pictures, page_rows=10_000)
    assert pages == [page]
    assert 30_000_000 < page.stat().st_size < 100_000_000


def test_a_page_that_cannot_be_written_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "page.html").mkdir()
    with pytest.raises(CMROrientError, match="cannot be written"):
        write_report(one_of_each(), tmp_path / "page.html", {})
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


def test_a_full_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("CMROrientLib.report.page.tempfile.SpooledTemporaryFile", full)
    with pytest.raises(CMROrientError, match="cannot be written \\(No space left on device\\)"):
        write_report(one_of_each(), tmp_path / "page.html", {})
    assert list(tmp_path.iterdir()) == []


def test_memory_does_not_grow_with_the_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("CMROrientLib.report.page._IN_MEMORY", 100_000)
    shared = Thumbnails(jpeg(1), jpeg(2))
    records = many(1000)
    pictures = {record.key: shared for record in records if record.error is None}
    write_report(records[:1], tmp_path / "page.html", {})
    tracemalloc.start()
    try:
        write_report(records, tmp_path / "page.html", pictures)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (tmp_path / "page.html").stat().st_size > 8_000_000
    assert most < 1_500_000


def test_a_row_is_one_line_and_holds_no_space_of_its_template(tmp_path: Path) -> None:
    page = written(tmp_path, [*one_of_each(), acted_on(NASTY, 1, 2, words="two\nlines")])
    rows = [line for line in page.read_text(encoding="utf-8").split("\n") if "</td>" in line]
    assert len(rows) == 8
    for row in rows:
        assert row.startswith("<tr ") and row.endswith("</tr>")
        assert not re.search(r">\s+<|\s\s", row)


def test_templates_escape_everything() -> None:
    """Only the pictures' base64 is let through."""
    templates = Path(page_module.__file__).with_name("templates")
    found = {path.name: path.read_text(encoding="utf-8") for path in templates.iterdir()}
    assert len(found) > 5
    trusted = re.compile(r"\|\s*safe|autoescape|Markup")
    assert {name: trusted.findall(text) for name, text in found.items() if trusted.search(text)} == {
        "row.html.jinja": ["| safe"] * 4
    }


@pytest.mark.parametrize(
    "shown", [RowView, PixelsView, VotesBar, Detail, RunFacts, Place, Kind, Phrase, Sums, SumsLine]
)
def test_templates_show_all_that_is_made_for_them(shown: type) -> None:
    templates = Path(page_module.__file__).with_name("templates")
    text = "".join(path.read_text(encoding="utf-8") for path in templates.iterdir())
    assert [name for name in get_type_hints(shown) if not re.search(rf"\.{name}\b", text)] == []


@given(st.text(st.characters(codec=None), max_size=30))
def test_any_text_can_be_shown(text: str) -> None:
    held = str(markupsafe.escape(presentable(text)))
    assert "\n" not in held
    held.encode("utf-8")
    parser = html5lib.HTMLParser(tree=html5lib.getTreeBuilder("etree"), namespaceHTMLElements=False)
    shown = parser.parse(f"<!DOCTYPE html><title>x</title><p>{held}</p>").find(".//p").text or ""
    assert parser.errors == []
    assert len(shown) == len(text)
    assert all(a in (b, "\N{REPLACEMENT CHARACTER}") for a, b in zip(shown, text, strict=True))


def test_glyphs_turn_as_the_group_does() -> None:
    """The CSS matrix of each class moves the corners of the drawing as the class moves a slice's."""
    corners = {(0, 0): (-1, -1), (0, 1): (1, -1), (1, 0): (-1, 1), (1, 1): (1, 1)}
    rules = dict(re.findall(r"\.k(\d)\{transform:matrix\(([-\d,]+)\)\}", glyph_css()))
    for k in Orientation:
        a, b, c, d, _, _ = (int(value) for value in rules[str(int(k))].split(","))
        marks = np.array([[1, 2], [3, 4]])
        turned = k.apply(marks)
        for (row, column), (x, y) in corners.items():
            place = (a * x + c * y, b * x + d * y)
            (new,) = [index for index, corner in corners.items() if corner == place]
            assert turned[new] == marks[row, column]


def test_votes_in_words_and_bars() -> None:
    assert votes_words([0, 3, 0, 0, 0, 0, 0, 7]) == (
        "Votes: 7 transposed over the other diagonal, 3 flipped left to right"
    )
    bar = votes_bar((0, 3, 0, 0, 0, 0, 0, 7))
    assert bar.most == "M71 0h8v18h-8z"
    assert bar.other == "M11 10h8v8h-8z"
    assert bar.share == "7 of 10 slices"


@pytest.mark.parametrize(
    ("value", "words"), [(0.5, "0.50"), (0.994, "0.99"), (0.9951, "over 0.99"), (1.0, "over 0.99")]
)
def test_confidence_is_never_rounded_up_to_certainty(value: float, words: str) -> None:
    assert confidence_words(value) == words


def test_the_model_is_taken_from_the_records(tmp_path: Path) -> None:
    page = written(tmp_path, [acted_on("a", 1, 1), acted_on("b", 1, 1, model="cine@ffff")])
    facts = text_of(parsed(page).find(".//dl"))
    assert "universal" in facts and MODEL.partition("@")[2] in facts and "cine, sha256 ffff" in facts
