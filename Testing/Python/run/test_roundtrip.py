"""Real volumes of every set and sequence, scrambled: the command line brings them back exactly."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from roundtrip import judge, read_cases, scramble, summary
from sample_study import cmrorient

from CMROrientLib.run.store import read_records

#: Volumes of each data set and sequence: enough that 99 % is not all of them.
EACH = 15


def test_real_volumes_come_back(data_root: Path, tmp_path: Path) -> None:
    taken: Counter[tuple[str, str]] = Counter()
    cases = []
    # By their names read backwards: a mixture of people that is the same everywhere.
    for case in sorted(read_cases(data_root, seed=7), key=lambda case: case.path[::-1]):
        group = (case.dataset, case.sequence)
        if case.clear and taken[group] < EACH:
            taken[group] += 1
            cases.append(case)
    assert len(cases) == 7 * EACH
    assert {case.sequence for case in cases} == {"bSSFP", "LGE", "T2"}
    assert len({case.stored for case in cases}) == 8
    assert 0.25 < sum(case.turned_along for case in cases) / len(cases) < 0.75
    scramble(data_root, cases, tmp_path / "in")
    # Each volume was turned apart from the person's others on its grid: together they would contradict each other.
    apart = ("--masks", "_seg", "--companions", "none")
    done = cmrorient("correct", tmp_path / "in", "-o", tmp_path / "out", *apart, "--jobs", "2", "--json")
    records = read_records(tmp_path / "out")
    judged = judge(data_root, cases, tmp_path / "out", records)
    told = "\n".join(summary(judged))
    assert sum(entry.right for entry in judged) >= 0.99 * len(judged), told
    assert done.status == (1 if any(record.failed for record in records) else 0), told
    assert len(done.records) == len(cases), "masks are no images"
    for record in records:
        assert record.error is None
        case = next(case for case in cases if case.path == record.path)
        assert len(record.files.masks) == (1 if case.mask else 0)
        if case.true_header:
            assert record.finding.header_state == "known"
            assert record.conflict == (case.stored != 0 and not case.turned_along)
