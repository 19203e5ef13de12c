"""Names of files in a BIDS data set, and which image a label map there belongs to.

Source: https://bids-specification.readthedocs.io/en/stable/derivatives/imaging.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

#: Suffixes of label maps: discrete segmentations and binary masks.
LABEL_SUFFIXES = ("dseg", "mask")

#: Entities that a label map has of its own; all others it takes over from its image.
_OWN = frozenset({"desc", "label", "seg", "atlas"})

#: Entities that say that a label map lies on another grid than the image as it was scanned.
_ELSEWHERE = frozenset({"space", "res", "den"})

_ENTITY = re.compile(r"([a-z]+)-([A-Za-z0-9+]+)")


@dataclass(frozen=True)
class BidsName:
    """A name ``sub-01_acq-sax_T2w``: entities and suffix."""

    entities: frozenset[tuple[str, str]]
    suffix: str

    @classmethod
    def of(cls, stem: str) -> BidsName | None:
        """From a name without its format; None where it is no name of BIDS."""
        found = cls.of_sidecar(stem)
        return found if found is not None and stem.startswith("sub-") else None

    @classmethod
    def of_sidecar(cls, stem: str) -> BidsName | None:
        """The same for what tells of several images: it may leave out any entity, the subject too."""
        *parts, suffix = stem.split("_")
        matches = [_ENTITY.fullmatch(part) for part in parts]
        found = [match for match in matches if match is not None]
        if len(found) < len(parts) or "-" in suffix:
            return None
        return cls(frozenset((match[1], match[2]) for match in found), suffix)

    @property
    def is_label_map(self) -> bool:
        """Whether the suffix says so."""
        return self.suffix in LABEL_SUFFIXES

    @property
    def person(self) -> tuple[str | None, str | None]:
        """Subject and session."""
        return self._of("sub"), self._of("ses")

    def _of(self, key: str) -> str | None:
        return dict(self.entities).get(key)

    def may_label(self, image: BidsName) -> bool:
        """Whether a label map of this name can belong to an image: one subject and session, nothing contradicts.

        ``space-orig`` is the grid of the image; a label map of any other space was resampled.
        """
        if any(self._of(key) is not None for key in _ELSEWHERE - {"space"}) or self._of("space") not in (None, "orig"):
            return False
        if any(self._of(key) != image._of(key) for key in ("sub", "ses")):
            return False
        taken_over = {(key, value) for key, value in self.entities if key not in _OWN | _ELSEWHERE}
        return taken_over <= image.entities

    def tells_of(self, image: BidsName) -> bool:
        """Whether a sidecar of this name, in the image's folder or above, counts for the image."""
        return self.suffix == image.suffix and self.entities <= image.entities

    def more_than(self, image: BidsName) -> int:
        """How many entities of an image a label map's name leaves out: the fewer, the more surely it is its own."""
        return len(image.entities - self.entities)


def owners(label: BidsName, images: Iterable[tuple[str, BidsName]]) -> list[str]:
    """The images that a label map can belong to, less those that another one fits better."""
    fitting = [(label.more_than(name), key) for key, name in images if label.may_label(name)]
    fewest = min((left_out for left_out, _ in fitting), default=0)
    return [key for left_out, key in fitting if left_out == fewest]
