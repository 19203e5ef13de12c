"""Working on many images on a Dask cluster whose workers see the same files.

Images go out in chunks, so that millions of them are no millions of tasks, and only so many chunks
are out at a time, so that scheduler and client hold little. Where workers die, the images of the
chunk that they had are sent again one by one: that finds the one that kills.

Where a run is interrupted, workers end after the image that they are at half a second later. What they have done
until then is recorded, and nothing is written any longer when the run has ended.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from ...errors import CMROrientError, UsageError
from ..options import RunOptions
from ..plan import PlannedImage
from ..unit import Units, alone, work_on
from ..work import Assignment, Outcome, failed

if TYPE_CHECKING:
    from distributed import Client, Future

#: How long a Dask scheduler may take to answer.
TIMEOUT = "20s"

#: Seconds that an interrupted run waits for what its workers have done: some may have died.
LAST_WAIT = 10.0

#: Seconds between a worker's questions whether to end: each is one to the scheduler, and there may be hundreds of them.
ASKED_EVERY = 0.5

#: When a worker's process last asked, by the run, and the runs that it was told to end: its threads share both.
_asked: dict[str, float] = {}
_ended: set[str] = set()

#: Images that a worker gets at a time.
CHUNK = 16

#: Chunks that are out for each thread of the cluster: one is worked on, one waits.
_CHUNKS_A_THREAD = 2

#: What a future is when it has no end yet.
_UNDER_WAY = ("pending", "lost")

Assign = Callable[[PlannedImage], Assignment]


def connect(address: str) -> Client:
    """A client of the cluster with this scheduler. Raises UsageError where none answers."""
    try:
        from distributed import Client
        from distributed import TimeoutError as TooLong
    except ImportError:
        raise UsageError("Dask is not installed; install it with: pip install distributed") from None
    try:
        return Client(address, timeout=TIMEOUT)
    except (OSError, ValueError, TooLong) as error:
        raise UsageError(
            f"no Dask scheduler answers there ({str(error).splitlines()[0]}); start one, or give its address", address
        ) from error


def run_on_cluster(
    client: Client,
    images: Sequence[PlannedImage],
    options: RunOptions,
    assign: Assign,
    chunk: int = CHUNK,
    late: Callable[[Outcome], None] | None = None,
) -> Iterator[Outcome]:
    """The outcomes in the order in which they come in; the client is closed at the end.

    Parameters
    ----------
    assign:
        Asked for each image when its turn comes.
    chunk:
        How many images a worker gets at a time.
    late:
        See ``pool.run_all``.

    Raises
    ------
    CMROrientError
        Where the scheduler is lost; what was done until then is done.
    """
    with client:
        chunks = _Chunks(client, options, chunk)
        try:
            yield from chunks.outcomes(images, assign)
        finally:
            chunks.end(late)


class _Chunks:
    """What is out on a cluster."""

    def __init__(self, client: Client, options: RunOptions, size: int) -> None:
        self._client = client
        self._options = options
        self._size = size
        self._out: dict[Future[list[Outcome]], list[list[Assignment]]] = {}
        self._suspects: deque[list[Assignment]] = deque()
        # Suspects that were out with others when their worker died; these go out last, with nothing beside them.
        self._accused: deque[list[Assignment]] = deque()
        self._beside_nothing = False
        #: The name of the event that tells workers to end.
        self._end = f"cmrorient-end-{uuid.uuid4().hex}"

    def outcomes(self, images: Sequence[PlannedImage], assign: Assign) -> Iterator[Outcome]:
        """Send, collect, send on."""
        from distributed import as_completed

        waiting = Units(images)
        futures = as_completed()
        while True:
            while self._room() and (part := self._next(waiting, assign)):
                futures.add(self._send(part))
            if not self._out:
                return
            future = next(futures)
            if future.status in _UNDER_WAY and self._client.status == "running":
                # Its result was lost with its worker: the scheduler has it made again.
                futures.add(future)
                continue
            # Out until all of its outcomes are taken: an interruption may come between two.
            yield from self._collect(future, self._out[future])
            del self._out[future]
            future.release()

    def end(self, late: Callable[[Outcome], None] | None) -> None:
        """On an interruption, let workers finish the image that they are at, and give on what they have done.

        That takes no longer than ``LAST_WAIT``, whoever of them has died.
        """
        if late is None or not self._out or self._client.status != "running":
            return
        from distributed import Event, as_completed
        from distributed import TimeoutError as TooLong

        def tell() -> None:
            # Where the scheduler is lost by now there is nobody to be told.
            with suppress(Exception):
                Event(self._end, self._client).set()

        telling = threading.Thread(target=tell, daemon=True)
        telling.start()
        telling.join(LAST_WAIT)
        done = as_completed(list(self._out), with_results=True, raise_errors=False, timeout=LAST_WAIT)
        # Another one than Python's own before 3.11.
        with suppress(TooLong):
            for future, outcomes in done:
                for outcome in outcomes if future.status == "finished" else ():
                    late(outcome)

    def _room(self) -> bool:
        # Workers come and go; while there is none, little is sent ahead.
        if self._beside_nothing and self._out:
            return False
        threads = sum(self._client.nthreads().values()) if self._client.status == "running" else 0
        return len(self._out) < max(1, threads) * _CHUNKS_A_THREAD

    def _next(self, waiting: Units, assign: Assign) -> list[list[Assignment]]:
        """Suspects go out one by one and first, the others in chunks; a group is never parted."""
        if self._suspects:
            return [self._suspects.popleft()]
        self._beside_nothing = not (waiting or self._out) and bool(self._accused)
        if self._beside_nothing:
            return [self._accused.popleft()]
        part: list[list[Assignment]] = []
        while waiting and sum(map(len, part)) < self._size:
            part.append([assign(image) for image in waiting.take()])
        return part

    def _send(self, part: list[list[Assignment]]) -> Future[list[Outcome]]:
        # Results are not pure: a file may have come or gone.
        future = self._client.submit(_work_on, part, self._options, self._end, pure=False)
        self._out[future] = part
        return future

    def _collect(self, future: Future[list[Outcome]], part: list[list[Assignment]]) -> Iterator[Outcome]:
        from distributed import KilledWorker

        error = future.exception() if future.status == "error" else None
        if future.status == "finished":
            yield from future.result()
        elif future.status != "error":
            raise CMROrientError(
                "the connection to the Dask scheduler was lost; run the same command again, which does what is left",
                self._options.dask,
            )
        elif isinstance(error, KilledWorker) and len(part) > 1:
            self._suspects.extend(part)
        elif isinstance(error, KilledWorker) and len(part[0]) > 1:
            # Its images are tried without their group, so that the others are done.
            self._suspects.extend([alone(assignment)] for assignment in part[0])
        elif isinstance(error, KilledWorker) and not self._beside_nothing:
            # What waited at the same worker is blamed along with what it was at.
            self._accused.append(part[0])
        else:
            reason = "its worker process died (out of memory, or killed)"
            if not isinstance(error, KilledWorker):
                reason = f"its worker failed ({type(error).__name__}: {error})"
            for assignment in (assignment for unit in part for assignment in unit):
                yield Outcome(failed(assignment, self._options, reason))


def _work_on(part: list[list[Assignment]], options: RunOptions, end: str) -> list[Outcome]:
    """What a worker does with a chunk until it is told to end; each of its threads has one core."""
    done: list[Outcome] = []
    for unit in part:
        outcomes = work_on(unit, options, 1)
        for _ in unit:
            if _is_to_end(end):
                return done
            done.append(next(outcomes))
    return done


def _is_to_end(name: str) -> bool:
    from distributed import Event

    now = time.monotonic()
    if name in _ended or now - _asked.get(name, -ASKED_EVERY) < ASKED_EVERY:
        return name in _ended
    _asked[name] = now
    # A cluster that cannot be asked, as when its worker is being closed, is no fault of an image.
    with suppress(Exception):
        if Event(name).is_set():
            _ended.add(name)
    return name in _ended
