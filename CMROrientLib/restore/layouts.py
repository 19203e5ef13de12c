"""Names under which data sets keep the segmentation of an image: those by which label maps are found."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import PurePosixPath

from ..io import without_suffix
from ..run.companions.bids import BidsName, owners
from ..run.companions.layouts import channel_of, without_layout
from ..run.record import Record


class OtherNames:
    """Finds the images of a segmentation that has not their path.

    nnU-Net names a prediction after the case, without channel and in any folder: ``x`` for
    ``imagesTs/x_0000``. BIDS tells by entities (``sub-01_dseg``), sibling folders by what is below them.
    """

    def __init__(self, records: Sequence[Record]) -> None:
        self._by_case: dict[PurePosixPath, list[Record]] = defaultdict(list)
        self._bids: list[tuple[str, BidsName]] = []
        self._records: dict[str, Record] = {}
        for record in records:
            if record.series is not None:
                continue
            path = PurePosixPath(without_suffix(record.path).as_posix())
            channel = channel_of(path)
            case = without_layout(path if channel is None else channel[0])
            # Elsewhere the path itself is the only name.
            if channel is not None or case != path:
                self._by_case[case].append(record)
            name = BidsName.of(path.name)
            if name is not None:
                self._bids.append((record.path, name))
                self._records[record.path] = record

    def find(self, key: str) -> list[Record]:
        """The images of a segmentation by its path without extension; channels of one case come all."""
        path = PurePosixPath(key)
        found = self._by_case.get(without_layout(path), [])
        told = path.parent.parts
        # Where the same case is there in several parts of a data set, the folder's ending tells: labelsTs, imagesTs.
        ending = next((part.removeprefix("labels") for part in told if part.startswith("labels")), "")
        nearer = [record for record in found if ending and f"images{ending}" in PurePosixPath(record.path).parts]
        if found:
            return nearer or found
        name = BidsName.of(path.name)
        if name is None or not name.is_label_map:
            return []
        return [self._records[owner] for owner in owners(name, self._bids)]
