"""What each stage of a run takes for an image, one after the other on one thread."""

from __future__ import annotations

import io
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from ..correction import plan
from ..io import deflate, find, read_source
from ..io.atomic import write_bytes
from ..orientation import Orientation
from ..recognition.cards.model_files import ModelFiles
from ..recognition.engines import open_engine
from ..recognition.recognizer import Recognizer
from ..run.files import digest
from ..run.folder import correct
from ..run.options import RunOptions
from ..run.pictures.thumbnails import thumbnails_of
from ..run.store import Store
from .images import Images

#: The stages in their order.
STAGES = ("hash", "read", "prepare and decide", "network", "turn", "compress", "write", "pictures", "record")


def measure(images: Images, place: Path, model: ModelFiles, most: int) -> dict[str, float]:
    """Milliseconds of CPU time for an image in each stage.

    Means over some images, not medians: some need more looks than others, and a run takes the sum.
    """
    recognizer = Recognizer(model.onnx, "cpu", threads=1)
    engine = open_engine(model, "cpu", 1)
    size, channels = model.card.preprocessing.size, model.card.preprocessing.channels
    clock = _Clock()
    sources = find(images.folder)[:most]
    recognizer.recognize(read_source(sources[0]))
    output = place / "stages"
    # What the records say is none of their times.
    options = RunOptions(
        inputs=tuple(source.path for source in sources), output=output, orientation=Orientation.ROTATE_180
    )
    records = correct(options)
    with Store.open(output) as store:
        for source, record in zip(sources, records, strict=False):
            with clock("hash"):
                digest(source.path)
            with clock("read"):
                volume = read_source(source)
            with clock("prepare and decide"):
                found = recognizer.recognize(volume)
            inputs = np.zeros((max(found.inputs, 1), channels, size, size), np.float32)
            with clock("network"):
                engine.run(inputs)
            clock.move("network", "prepare and decide")
            with clock("turn"):
                corrected = plan(found.orientation, found.header_orientation).apply(volume)
                array = np.ascontiguousarray(corrected.stored()[0])
            packed = io.BytesIO()
            with clock("compress"), deflate.writing_gzip(packed) as stream:
                stream.write(memoryview(array.reshape(-1).view(np.uint8)))
            with clock("write"):
                write_bytes(place / "written", packed.getvalue())
            with clock("pictures"):
                pictures = thumbnails_of(volume, corrected)
            with clock("record"):
                store.put(record, pictures, source.path)
    return {stage: round(1000 * clock.mean(stage), 3) for stage in STAGES}


class _Clock:
    """CPU seconds by the stage."""

    def __init__(self) -> None:
        self._times: dict[str, list[float]] = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        start = time.process_time()
        yield
        self._times.setdefault(stage, []).append(time.process_time() - start)

    def move(self, inner: str, outer: str) -> None:
        """Take the last time of a stage out of that of another, in which it lies."""
        self._times[outer][-1] = max(0.0, self._times[outer][-1] - self._times[inner][-1])

    def mean(self, stage: str) -> float:
        """Over the images."""
        return statistics.fmean(self._times[stage])
