"""``metrics.jsonl`` of a run, a line an epoch, and the same as a sentence for who watches."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..io.atomic import write_text
from .validation import Validation

#: Called with what there is to tell.
Report = Callable[[str], None]


@dataclass(frozen=True)
class EpochLine:
    """What an epoch came to.

    Parameters
    ----------
    epoch, stage:
        Epochs done, and the index of the recipe's stage.
    loss, accuracy:
        Of the augmented slices, without the auxiliary loss.
    rate:
        Learning rate of the last step.
    validation:
        On people held out, where there was one.
    seconds, left:
        That the run has taken, and probably will take.
    """

    epoch: int
    stage: int
    loss: float
    accuracy: float
    rate: float
    validation: Validation | None
    seconds: float
    left: float

    def to_json(self) -> dict[str, object]:
        """As the log keeps it."""
        validation = {} if self.validation is None else {"validation": self.validation.to_json()}
        return {
            "epoch": self.epoch,
            "phase": self.stage,
            "loss": round(self.loss, 5),
            "accuracy": round(self.accuracy, 5),
            "rate": self.rate,
            **validation,
            "seconds": round(self.seconds, 1),
            "left": round(self.left, 1),
        }

    def sentence(self, epochs: int) -> str:
        """For a terminal."""
        text = f"epoch {self.epoch}/{epochs}  loss {self.loss:.4f}  accuracy {self.accuracy:.4f}"
        if self.validation is not None and self.validation.slices:
            text += f"  held out: slices {self.validation.single:.4f}, averaged {self.validation.averaged:.4f}, "
            text += f"volumes {self.validation.volumes_averaged:.4f}"
        return text + f"  {_clock(self.seconds)} gone, {_clock(self.left)} left"


@dataclass(frozen=True)
class RunLog:
    """The log in a file."""

    path: Path

    def append(self, line: EpochLine) -> None:
        """Add the line of an epoch."""
        with self.path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(line.to_json()) + "\n")

    def cut(self, epoch: int) -> None:
        """Keep the lines up to an epoch: a kill between checkpoint and log leaves them one apart."""
        lines = self.path.read_text(encoding="utf-8").splitlines() if self.path.is_file() else []
        kept = [line for line in lines if json.loads(line)["epoch"] <= epoch]
        write_text(self.path, "".join(f"{line}\n" for line in kept))

    def clear(self) -> None:
        """Start afresh."""
        self.path.unlink(missing_ok=True)


def tell(text: str) -> None:
    """Print to standard error at once."""
    print(text, file=sys.stderr, flush=True)


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
