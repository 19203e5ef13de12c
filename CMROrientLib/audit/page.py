"""The page of an audit: its groups, its first sentence, and the table by scanner."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from ..report.style import Kind, Phrase, Style, Sums, SumsLine
from ..report.wording import count, number
from ..run.record import Record
from .verdict import Verdict, explain, verdicts_of

#: Verdicts that say that pixels and header were compared and contradict each other.
CONTRADICTIONS = (Verdict.MIRRORED, Verdict.HEADER_WRONG, Verdict.NOT_FOLLOWED)

KINDS = (
    Kind(Verdict.MIRRORED.value, "Mirrored", "alert", "pixels and header differ by a mirror; one of them is wrong"),
    Kind(Verdict.HEADER_WRONG.value, "Header wrong", "alert", "the pixels are standard, the header says otherwise"),
    Kind(
        Verdict.NOT_FOLLOWED.value,
        "Header did not follow",
        "alert",
        "the pixels are turned, and the header says something else",
    ),
    Kind(Verdict.OTHER_PLANE.value, "Other plane", "alert", "the header does not describe a short-axis plane"),
    Kind(Verdict.SLICES_REVERSED.value, "Slices against the rest", "alert", "the slices run the other way than most"),
    Kind(Verdict.UNDECIDED.value, "Undecided", "warn", "the network is not sure about the pixels; nothing follows"),
    Kind(Verdict.ERROR.value, "Error", "bad", "the image could not be read"),
    Kind(Verdict.SILENT.value, "Header silent", "good", "the header says nothing that could be compared"),
    Kind(Verdict.CONSISTENT.value, "Consistent", "calm", "pixels and header say the same"),
    Kind(Verdict.LEFT_ALONE.value, "Left alone", "mute", "not a short-axis image"),
)

#: What an archive is audited for, and what could not be judged.
PROBLEMS = tuple(kind for kind in KINDS if kind.tone in ("alert", "warn", "bad"))


def lead(counts: Mapping[str, int], total: int) -> list[Phrase]:
    """How many headers agree with their pixels."""
    agreeing = counts[Verdict.CONSISTENT.value]
    against = sum(counts[verdict.value] for verdict in CONTRADICTIONS)
    compared = agreeing + against
    first = [Phrase(count(total, "image"), strong=True), Phrase(" looked at; nothing was changed. ")]
    if not compared:
        return [*first, Phrase("No header could be held against its pixels.")]
    share = f"{100 * agreeing / compared:.1f}".removesuffix(".0")
    agree = "agrees" if agreeing == 1 else "agree"
    contradict = "contradicts" if against == 1 else "contradict"
    return [
        *first,
        Phrase(f"Of {count(compared, 'header')} that could be held against the pixels, "),
        Phrase(f"{number(agreeing)} {agree} ({share} %) and {number(against)} {contradict} them.", strong=True),
    ]


AUDIT = Style(
    name="audit",
    kinds=KINDS,
    tags=lambda record: [verdict.value for verdict in verdicts_of(record)],
    words=explain,
    lead=lead,
    corrected=False,
)


def by_scanner(records: Iterable[Record]) -> Sums | None:
    """Verdicts by scanner model, the most frequent first; None where no file tells its scanner."""
    scanners: dict[str, Counter[str]] = defaultdict(Counter)
    for record in records:
        scanner = None if record.image is None else record.image.scanner
        scanners[scanner or ""].update(verdict.value for verdict in verdicts_of(record))
    if not any(scanners):
        return None
    kinds = tuple(kind for kind in KINDS if any(counts[kind.tag] for counts in scanners.values()))
    return Sums(
        subject="scanner",
        kinds=kinds,
        lines=tuple(
            SumsLine(name or None, tuple(counts[kind.tag] for kind in kinds))
            for name, counts in sorted(scanners.items(), key=lambda entry: (-entry[1].total(), entry[0]))
        ),
    )
