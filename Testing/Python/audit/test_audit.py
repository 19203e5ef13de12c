"""The header audit: a verdict for every combination, its report, and that nothing else is written."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

import parts
import pytest
from pages import pictures_on
from records import changed, flat
from report_samples import acted_on, failed, left_alone, one_of_each, pictures_of, undecided

from CMROrientLib.audit.audit import ReportFiles, audit, write_audit
from CMROrientLib.audit.page import AUDIT
from CMROrientLib.audit.verdict import Verdict, explain, verdict, verdict_of
from CMROrientLib.cli.main import main
from CMROrientLib.errors import UsageError
from CMROrientLib.orientation import Orientation
from CMROrientLib.report.page import page_kind, write_report
from CMROrientLib.run.options import RunOptions
from CMROrientLib.run.pictures.thumbnails import Thumbnails
from CMROrientLib.run.record import Record
from CMROrientLib.run.work import Outcome

html5lib = parts.need_module("html5lib")

MIRRORS = {1, 2, 4, 7}


@pytest.mark.parametrize("state", ["none", "other_plane", "known", None])
@pytest.mark.parametrize("decision", ["standard", "reoriented", "uncertain", "not_short_axis", None])
def test_every_combination_has_its_verdict(decision: str | None, state: str | None) -> None:
    """Against the table in words, told anew: mirrors are those classes that differ in handedness."""
    for p, h in product(range(8), (*range(8), None)):
        found = verdict(p, h, state, decision)
        if decision is None:
            expected = Verdict.ERROR
        elif decision == "not_short_axis":
            expected = Verdict.LEFT_ALONE
        elif decision == "uncertain":
            expected = Verdict.UNDECIDED
        elif state == "other_plane":
            expected = Verdict.OTHER_PLANE
        elif state in ("none", None) or h is None:
            expected = Verdict.SILENT
        elif p == h:
            expected = Verdict.CONSISTENT
        elif (p in MIRRORS) != (h in MIRRORS):
            expected = Verdict.MIRRORED
        elif p == 0:
            expected = Verdict.HEADER_WRONG
        else:
            expected = Verdict.NOT_FOLLOWED
        assert found is expected, (p, h, state, decision)
        assert verdict(p, h, state, decision, "is cut short") is Verdict.ERROR


def test_mirrors_are_those_of_the_group() -> None:
    assert {int(k) for k in Orientation if k.mirrors} == MIRRORS


def test_no_class_is_undecided() -> None:
    assert verdict(None, 0, "known", "standard") is Verdict.UNDECIDED


@pytest.mark.parametrize(
    ("record", "found", "words"),
    [
        (acted_on("x", 0, 0), Verdict.CONSISTENT, "Consistent: pixels and header both say standard orientation."),
        (acted_on("x", 2, 2), Verdict.CONSISTENT, "both say flipped upside down"),
        (acted_on("x", 0, 3), Verdict.HEADER_WRONG, "the pixels are standard, it says turned by 180°"),
        (acted_on("x", 3, 0), Verdict.NOT_FOLLOWED, "the header did not follow: they are turned by 180°"),
        (acted_on("x", 5, 6), Verdict.NOT_FOLLOWED, "they are turned by 90° clockwise, it says turned by 90° counter"),
        (acted_on("x", 0, 2), Verdict.MIRRORED, "differ by a mirror: the pixels are standard, the header says flipped"),
        (acted_on("x", 4, 5), Verdict.MIRRORED, "Left and right are exchanged in one of them"),
        (acted_on("x", 6, None), Verdict.SILENT, "The header says nothing of the orientation"),
        (acted_on("x", 6, None, header_state="other_plane"), Verdict.OTHER_PLANE, "The header names another plane"),
        (undecided("x"), Verdict.UNDECIDED, "Not sure"),
        (left_alone("x"), Verdict.LEFT_ALONE, "Not a short-axis image."),
        (flat("x", decision="not_short_axis", note="left alone: localizer"), Verdict.LEFT_ALONE, ""),
        (failed("x"), Verdict.ERROR, ""),
    ],
)
def test_the_verdict_in_words(record: Record, found: Verdict, words: str) -> None:
    assert verdict_of(record) is found
    assert words in explain(record)
    assert bool(explain(record)) == bool(words)


def test_every_verdict_has_its_group() -> None:
    assert {kind.tag for kind in AUDIT.kinds} == {verdict.value for verdict in Verdict}


def sample() -> list[Record]:
    scanners = ["GE Signa", "GE Signa", "SIEMENS <Avanto>", None, None, "SIEMENS <Avanto>", "GE Signa"]
    return [changed(record, scanner=scanner) for record, scanner in zip(one_of_each(), scanners, strict=True)]


def test_the_reports_files(tmp_path: Path) -> None:
    records = sample()
    report = ReportFiles.at(tmp_path / "new" / "headers.html")
    write_audit(records, pictures_of(records), report, command="cmrorient audit archive -o headers.html")
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == [
        "headers.csv",
        "headers.html",
        "headers.jsonl",
    ]
    lines = [json.loads(line) for line in report.jsonl.read_text(encoding="utf-8").splitlines()]
    assert [line["verdict"] for line in lines] == [verdict_of(record).value for record in records]
    assert lines[2]["words"].startswith("Consistent: pixels and header both say turned by 90°")
    assert lines[2]["votes"] == list(records[2].finding.votes)
    with report.csv.open(encoding="utf-8-sig", newline="") as stream:
        cells = list(csv.DictReader(stream))
    assert [cell["path"] for cell in cells] == [record.path for record in records]
    assert cells[6]["verdict"] == "mirrored" and cells[6]["header_orientation"] == "0"
    assert cells[4]["error"] == "is cut short inside its voxels" and cells[4]["orientation"] == ""


def test_the_page_sums_up_by_scanner(tmp_path: Path) -> None:
    records = sample()
    report = ReportFiles.at(tmp_path / "headers.html")
    write_audit(records, pictures_of(records), report)
    parser = html5lib.HTMLParser(tree=html5lib.getTreeBuilder("etree"), namespaceHTMLElements=False)
    tree = parser.parse(report.page.read_text(encoding="utf-8"))
    assert parser.errors == []
    table = tree.find(".//table[@class='sums']")
    heads = [head.text for head in table.iterfind("thead/tr/th")]
    assert heads == [
        "Scanner",
        "Images",
        "Mirrored",
        "Undecided",
        "Error",
        "Header silent",
        "Consistent",
        "Left alone",
    ]
    rows = [["".join(cell.itertext()) for cell in row] for row in table.iterfind("tbody/tr")]
    assert rows == [
        ["GE Signa", "3", "1", "0", "0", "0", "1", "1"],
        ["not told", "2", "0", "0", "1", "1", "0", "0"],
        ["SIEMENS <Avanto>", "2", "0", "1", "0", "0", "1", "0"],
    ]
    lead = "".join(tree.find(".//p[@class='lead']").itertext())
    assert lead == (
        "7 images looked at; nothing was changed. Of 3 headers that could be held against the pixels, "
        "2 agree (66.7 %) and 1 contradicts them."
    )
    badges = [
        "".join(row.find(".//*[@class='finding']/span").itertext()) for row in tree.iterfind(".//tbody/tr[@data-tags]")
    ]
    assert badges == [
        "Mirrored",
        "Undecided",
        "Error",
        "Header silent",
        "Consistent",
        "Consistent",
        "Left alone",
    ]


def test_without_scanners_there_is_no_such_table(tmp_path: Path) -> None:
    write_audit(one_of_each(), {}, ReportFiles.at(tmp_path))
    assert "By scanner" not in (tmp_path / "cmrorient-audit.html").read_text(encoding="utf-8")


def test_nothing_to_compare(tmp_path: Path) -> None:
    write_audit([acted_on("x", 1, None)], {}, ReportFiles.at(tmp_path))
    assert "No header could be held against its pixels." in (tmp_path / "cmrorient-audit.html").read_text("utf-8")


def test_where_the_report_goes(tmp_path: Path) -> None:
    assert ReportFiles.at(tmp_path).page == tmp_path / "cmrorient-audit.html"
    assert ReportFiles.at(tmp_path / "new").page == tmp_path / "new" / "cmrorient-audit.html"
    assert ReportFiles.at(tmp_path / "a.b.htm").files == (
        tmp_path / "a.b.htm",
        tmp_path / "a.b.jsonl",
        tmp_path / "a.b.csv",
    )
    with pytest.raises(UsageError, match=r"ends in \.html"):
        ReportFiles.at(tmp_path / "report.pdf")


@pytest.mark.parametrize("name", ["headers.html", "headers.jsonl", "headers.csv"])
def test_nothing_but_an_audit_is_replaced(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError, match="in the way"):
        ReportFiles.at(tmp_path / "headers.html").check_free()
    (tmp_path / name).unlink()
    report = ReportFiles.at(tmp_path / "headers.html")
    write_audit(one_of_each(), {}, report)
    assert page_kind(report.page) == "audit"
    report.check_free()


def test_no_file_may_be_where_a_large_audit_has_its_further_pages(tmp_path: Path) -> None:
    report = ReportFiles.at(tmp_path / "headers.html")
    write_audit(one_of_each(), {}, ReportFiles.at(tmp_path / "headers-1.html"))
    report.check_free()
    write_audit(one_of_each(), {}, report)
    assert page_kind(tmp_path / "headers-1.html") == "audit"
    (tmp_path / "headers-notes.html").write_text("mine", encoding="utf-8")
    report.check_free()
    (tmp_path / "headers-12.html").write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError, match=r"headers-12\.html: .*in the way"):
        report.check_free()


def test_another_audit_where_further_pages_would_be_is_told_before_an_image_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []

    def found(
        options: RunOptions, _progress: object, _warn: object, planned: Callable[[int], None]
    ) -> Iterator[Outcome]:
        planned(1500)

        def outcomes() -> Iterator[Outcome]:
            looked.append(str(options.inputs))
            yield Outcome(acted_on("case.nii.gz", 1, 1))

        return outcomes()

    monkeypatch.setattr("CMROrientLib.audit.audit.recognize", found)
    beside = ReportFiles.at(tmp_path / "headers-1.html")
    write_audit(one_of_each(), {}, beside)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(UsageError, match=r"headers-1\.html: .*move the file"):
        audit([tmp_path / "left", tmp_path / "right"], tmp_path / "headers.html")
    assert not looked and {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    # Fewer images have no further pages.
    audit([tmp_path / "left"], tmp_path / "headers.html")
    assert looked


def test_the_report_of_a_correction_is_not_replaced(tmp_path: Path) -> None:
    write_report(one_of_each(), tmp_path / "cmrorient.html", {})
    with pytest.raises(UsageError, match="in the way"):
        ReportFiles.at(tmp_path / "cmrorient.html").check_free()


def test_images_of_one_name_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def found(options: RunOptions, *_: object) -> Iterator[Outcome]:
        [root] = options.inputs
        side = 1 if root.name == "left" else 2
        yield Outcome(acted_on("case.nii.gz", side, side), Thumbnails(bytes([side])))
        yield Outcome(acted_on(f"only-{root.name}.nii.gz", side, side), Thumbnails(bytes([10 + side])))

    monkeypatch.setattr("CMROrientLib.audit.audit.recognize", found)
    records = audit([tmp_path / "left", tmp_path / "right"], tmp_path / "headers.html")
    left, right = ((tmp_path / side / "case.nii.gz").as_posix() for side in ("left", "right"))
    assert [record.path for record in records] == sorted([left, right, "only-left.nii.gz", "only-right.nii.gz"])
    pictures = pictures_on(tmp_path / "headers.html")
    assert {path: entry.before[0] for (path, _), entry in pictures.items()} == {
        left: 1,
        right: 2,
        "only-left.nii.gz": 11,
        "only-right.nii.gz": 12,
    }


def test_a_stopped_audit_tells_what_it_has_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: object, **__: object) -> Iterator[Outcome]:
        yield Outcome(acted_on("b", 1, 0))
        yield Outcome(acted_on("a", 1, 1))
        raise KeyboardInterrupt

    monkeypatch.setattr("CMROrientLib.audit.audit.recognize", stopped)
    with pytest.raises(KeyboardInterrupt):
        audit([tmp_path], tmp_path / "headers.html")
    lines = (tmp_path / "headers.jsonl").read_text(encoding="utf-8").splitlines()
    assert sorted(json.loads(line)["path"] for line in lines) == ["a", "b"]
    assert "Header audit (stopped before its end)" in (tmp_path / "headers.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("records", "status"),
    [
        ([acted_on("a", 1, 0), left_alone("b")], 0),
        ([acted_on("a", 1, 1), undecided("b")], 1),
        ([acted_on("a", 1, 1), failed("b")], 1),
    ],
)
def test_what_the_terminal_shows(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    records: list[Record],
    status: int,
) -> None:
    monkeypatch.setattr("CMROrientLib.cli.audit.audit_run", lambda *_, **__: records)
    assert main(["audit", str(tmp_path), "-o", str(tmp_path)]) == status
    shown = capsys.readouterr()
    counted = sum(int(number) for number in re.findall(r"^ +(\d+)  [A-Z]", shown.out, re.MULTILINE))
    assert counted == len(records)
    assert ("error: b: is cut short" in shown.err) == any(record.error for record in records)
    assert f"report: {tmp_path / 'cmrorient-audit.html'}" in shown.err


def test_what_is_wrong_is_listed_with_the_conflicts_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    records = [
        failed("a failed"), undecided("b undecided"), acted_on("c right", 1, 1), left_alone("d other"),
        acted_on("e header", 0, 3), acted_on("f followed", 3, 0), acted_on("g mirrored", 1, 0),
    ]  # fmt: skip
    monkeypatch.setattr("CMROrientLib.cli.audit.audit_run", lambda *_, **__: records)
    words = ["audit", str(tmp_path), "-o", str(tmp_path)]
    urgent = ["g mirrored", "e header", "f followed", "b undecided", "a failed"]
    kinds = ["mirrored", "header wrong", "header did not follow", "undecided", "error"]
    for more in ([], ["--only-problems"]):
        assert main([*words, *more]) == 1
        shown = capsys.readouterr().out
        rows = shown.split("\n\n")[0].splitlines()
        assert re.split("  +", rows[0]) == ["image", "what is wrong", "pixels", "header"]
        assert [re.split("  +", row)[:2] for row in rows[1:]] == [
            list(pair) for pair in zip(urgent, kinds, strict=True)
        ]
        assert rows[1].endswith("1 flipped left to right  0 standard")
        assert ("Consistent" in shown, "Left alone" in shown) == (not more, not more)
        assert main([*words, "--json", *more]) == 1
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert [line["path"] for line in lines] == [r.path for r in records if not more or r.path in urgent]
        assert all({"verdict", "words", "orientation"} <= set(line) for line in lines)


def test_an_audit_without_problems_lists_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("CMROrientLib.cli.audit.audit_run", lambda *_, **__: [acted_on("a", 1, 1)])
    words = ["audit", str(tmp_path), "-o", str(tmp_path)]
    assert main(words) == 0
    assert capsys.readouterr().out == "      1  Consistent: pixels and header say the same\n"
    assert main([*words, "--only-problems"]) == 0
    assert capsys.readouterr().out == ""
