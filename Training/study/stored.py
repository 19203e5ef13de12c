"""``Training/metrics``: every file has a type, and what is read could be written back as it was."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from CMROrientLib.errors import CMROrientError
from CMROrientLib.recognition.typed_json import read_object, write_object
from CMROrientLib.training.evaluation.angles import AngleErrors
from CMROrientLib.training.evaluation.decisions import Decisions
from CMROrientLib.training.evaluation.evaluate import Evaluation
from CMROrientLib.training.evaluation.slice_orders import SliceOrders

from .ablation import Variant
from .arithmetic import Variant as Arithmetic
from .kinds import KindFigures
from .left_out import Calibration, LeftOut, LeftOutSequence, RejectionMetrics
from .looks.figures import LooksMetrics
from .paper_table import PaperRow
from .single_slices import SingleSliceMetrics
from .stress import StressRow


@dataclass(frozen=True)
class StoredMetrics:
    """The files of the folder by their stems; None for those that are not there.

    Parameters
    ----------
    paper_table:
        Network → its row.
    left_out, left_out_sequences:
        Left-out source, or sequence → what was measured.
    stress:
        Left-out source → curve → rows.
    calibration, rejection:
        Over all left-out sources.
    decisions:
        Left-out source → what the rule makes of it, with the heads of the bundled model.
    angles:
        Left-out source → errors of the measured direction between the ventricles.
    slice_order, slice_order_together:
        Each left-out source and ``all`` → how often an order of slices is named and right, of each stack by itself and
        of stacks on one grid together.
    single_slices:
        What becomes of slices that are images of their own, with and without a header.
    kinds:
        Made kind of image → of networks that were not shown it (``kept back``) and of the others (``seen``).
    looks:
        How much is looked at, and the rule that ends early looks.
    arithmetic:
        Smaller arithmetic → what it costs and gets wrong; the model's own comes first.
    ablation:
        The short runs.
    universal, cine, lge, t2:
        The bundled models, on people held out from their training.
    """

    paper_table: Mapping[str, PaperRow] | None = None
    left_out: Mapping[str, LeftOut] | None = None
    left_out_sequences: Mapping[str, LeftOutSequence] | None = None
    stress: Mapping[str, Mapping[str, tuple[StressRow, ...]]] | None = None
    calibration: Calibration | None = None
    rejection: RejectionMetrics | None = None
    slice_order: Mapping[str, SliceOrders] | None = None
    slice_order_together: Mapping[str, SliceOrders] | None = None
    single_slices: SingleSliceMetrics | None = None
    kinds: Mapping[str, Mapping[str, KindFigures]] | None = None
    decisions: Mapping[str, Decisions] | None = None
    angles: Mapping[str, AngleErrors] | None = None
    looks: LooksMetrics | None = None
    arithmetic: Mapping[str, Arithmetic] | None = None
    ablation: tuple[Variant, ...] | None = None
    universal: Evaluation | None = None
    cine: Evaluation | None = None
    lge: Evaluation | None = None
    t2: Evaluation | None = None

    @classmethod
    def read(cls, folder: Path) -> StoredMetrics:
        """All that is there. Raises CMROrientError where a file is none of these, or holds something else."""
        paths = {path.stem: path for path in sorted(folder.glob("*.json"))}
        try:
            data = {name: json.loads(path.read_text(encoding="utf-8")) for name, path in paths.items()}
            return read_object(cls, data, strict=True)
        except (OSError, ValueError) as error:
            raise CMROrientError(f"these are no stored metrics: {error}", folder) from error

    def to_json(self) -> dict[str, object]:
        """What the files hold, by their stems."""
        found = write_object(self)
        models = {"universal": self.universal, "cine": self.cine, "lge": self.lge, "t2": self.t2}
        found |= {name: one.to_json() for name, one in models.items() if one is not None}
        if self.left_out is not None:
            found["left_out"] = {name: one.to_json() for name, one in self.left_out.items()}
        if self.left_out_sequences is not None:
            found["left_out_sequences"] = {name: one.to_json() for name, one in self.left_out_sequences.items()}
        if self.decisions is not None:
            found["decisions"] = {name: one.to_json() for name, one in self.decisions.items()}
        return found
