"""The sidecars of an image in a BIDS data set: those that it shares with others, and its own, as they have to be now.

What a folder above says counts for all images below whose names fit, unless a file further down says otherwise.
So what is shared is carried over as it is, and where the turn of an image makes it wrong its own sidecar says so.

Source: https://bids-specification.readthedocs.io/en/stable/common-principles.html#the-inheritance-principle
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ...io import without_suffix
from ..record import Record
from .axes import turned_sidecar
from .bids import BidsName
from .small_files import as_json, is_small, read_object, read_small

#: Derivatives have to say it of each image that is no label map.
_SKULL = "SkullStripped"


@dataclass(frozen=True)
class Sidecars:
    """What tells of one image.

    Parameters
    ----------
    above:
        In the folders above the image's, the uppermost first.
    beside:
        In the image's folder, and not its alone. BIDS has no place for them beside a sidecar of the image's own.
    own:
        Where its own is, or would be.
    """

    above: tuple[Path, ...]
    beside: tuple[Path, ...]
    own: Path

    @classmethod
    def of(cls, image: Path, root: Path | None) -> Sidecars:
        """From the files that there are.

        Parameters
        ----------
        root:
            The folder of the BIDS data set; None elsewhere, where only the image's own sidecar counts.
        """
        stem = without_suffix(image)
        own, name = stem.with_name(f"{stem.name}.json"), BidsName.of(stem.name)
        if root is None or name is None:
            return cls((), (), own)
        folders = [folder for folder in (image.parent, *image.parent.parents) if folder.is_relative_to(root)]
        above = tuple(path for folder in reversed(folders[1:]) for path in _telling(folder, name))
        return cls(above, tuple(path for path in _telling(image.parent, name) if path != own), own)

    def told(self) -> dict[str, object]:
        """All that they say of the image, as readers join it. Raises OSError where one in its folder cannot be read."""
        found: dict[str, object] = {}
        for path in self.above:
            # One that cannot be read is not carried over either.
            with suppress(OSError):
                found.update(_read(path) or {})
        for path in (*self.beside, self.own):
            found.update(_read(path) or {})
        return found

    def changed(self, record: Record, *, derived: bool) -> bytes | None:
        """The image's own sidecar after the turn; None where there is nothing to say.

        Parameters
        ----------
        record:
            Of the image, which a label map shares.
        derived:
            Whether it is an image of a derivative, which has to say whether the skull was stripped.
        """
        before = self.told()
        after = turned_sidecar(before, record)
        wrong = {key: value for key, value in after.items() if before.get(key) != value}
        if derived:
            wrong.update({} if _SKULL in before else {_SKULL: False})
        there = read_small(self.own)
        if not wrong and not self.beside:
            return there
        own: dict[str, object] = {}
        for path in (*self.beside, self.own):
            own.update(_read(path) or {})
        if there is not None and read_object(there) is None:
            # What nobody can read is nobody's to change.
            return there
        return as_json({**own, **wrong})


def _telling(folder: Path, image: BidsName) -> Iterator[Path]:
    """The sidecars in a folder that count for an image, the one that says most of it last."""
    found = []
    for path in sorted(folder.glob("*.json")):
        name = BidsName.of_sidecar(path.name.removesuffix(".json"))
        if name is not None and name.tells_of(image) and is_small(path):
            found.append((len(name.entities), path))
    return (path for _, path in sorted(found))


def _read(path: Path) -> dict[str, object] | None:
    data = read_small(path)
    return None if data is None else read_object(data)
