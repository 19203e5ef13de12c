"""Working on several images at a time in this process: while one is read or packed, the network looks at another.

Reading, unpacking, hashing, the network, packing and writing let other threads work meanwhile.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from ..options import RunOptions
from ..plan import PlannedImage
from ..unit import Units, done_before, work_on
from ..work import Assignment, Outcome

#: Bytes of files on disk that are worked on at a time, unless a single image is larger.
MOST_BYTES = 1 << 28


def run_in_threads(
    images: Sequence[PlannedImage],
    options: RunOptions,
    assign: Callable[[PlannedImage], Assignment],
    count: int,
    network: int | None,
    late: Callable[[Outcome], None] | None = None,
) -> Iterator[Outcome]:
    """The outcomes in the order of the images; see ``pool.run_all``.

    Parameters
    ----------
    count:
        How many images are worked on at a time.
    network:
        CPU threads of the network for each.
    """
    pending = Units(images)
    running: deque[tuple[Future[list[Outcome]], int]] = deque()
    pool = ThreadPoolExecutor(count, thread_name_prefix="cmrorient")
    try:
        while pending or running:
            # One more than there are threads, so that none waits for the consumer of the outcomes.
            while pending and len(running) <= count:
                size = sum(_size(image) for image in pending.first)
                if running and size + sum(known for _, known in running) > MOST_BYTES:
                    break
                unit = [assign(image) for image in pending.take()]
                if not running and (done := done_before(unit, options)) is not None:
                    yield from done
                    continue
                running.append((pool.submit(_work_on, unit, options, network), size))
            if running:
                yield from running[0][0].result()
                running.popleft()
    finally:
        # On an interruption the images under way are finished, so that nothing is left half done.
        pool.shutdown(cancel_futures=True)
        hand_over([future for future, _ in running], late)


def hand_over(futures: Iterable[Future[list[Outcome]]], late: Callable[[Outcome], None] | None) -> None:
    """Give on what was done when an interruption came."""
    for future in futures:
        if late is not None and future.done() and not future.cancelled() and future.exception() is None:
            for outcome in future.result():
                late(outcome)


def _work_on(unit: list[Assignment], options: RunOptions, threads: int | None) -> list[Outcome]:
    return list(work_on(unit, options, threads))


def _size(image: PlannedImage) -> int:
    total = 0
    for source in (image.source, *(mask.source for mask in image.masks)):
        for file in source.file_texts:
            try:
                total += os.stat(file).st_size  # noqa: PTH116 (text, many thousand times)
            except OSError:
                # Whoever reads it will say so.
                continue
    return total
