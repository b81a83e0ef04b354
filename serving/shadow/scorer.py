"""Scoring in the shadow: beside the requests, in a thread of its own.

A request hands over its stored vector after its assessment was committed: one `put` into a queue. The thread takes
what has gathered, scores it with the challenger and stores it. What is lost on the way (the queue is full, the process
ends) can be computed again from the vectors, so nothing here waits for the disk and nothing here can hold up or fail a
request.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import numpy as np
import numpy.typing as npt

from features.ledger.store import Ledger, Writer
from serving import metrics
from serving.clock import now_us
from serving.shadow import repository
from serving.shadow.model import VectorModel
from serving.shadow.repository import ShadowAssessment

_log = logging.getLogger(__name__)

Floats = npt.NDArray[np.float64]

_MOST_AT_ONCE: Final = 512
#: Vectors scored in one go, about a millisecond, and the pause after it: requests want the processor, too.
_MOST_SCORED: Final = 64
_PAUSE_S: Final = 0.005
#: How often to look whether so many have gathered.
_LOOK_S: Final = 0.25
_STOP_S: Final = 10.0


class ShadowScorer:
    """`start`, `offer` from the event loop, `stop`."""

    def __init__(
        self,
        ledger: Ledger,
        challenger: Callable[[], VectorModel | None],
        *,
        most_waiting: int,
        gather_seconds: float,
    ) -> None:
        """`gather_seconds`: how long assessments gather. Whoever writes makes the one writer of the ledger wait, and
        read again what it had in memory, so that should not happen often."""
        self._ledger = ledger
        self._challenger = challenger
        self._gather_seconds = gather_seconds
        self._enough = min(_MOST_AT_ONCE, most_waiting)
        self._waiting: queue.Queue[tuple[str, Floats] | None] = queue.Queue(most_waiting)
        self._stopping = threading.Event()
        self._writer: Writer | None = None
        self._thread = threading.Thread(target=self._work, name="shadow", daemon=True)

    def start(self) -> None:
        """Begin to score."""
        self._thread.start()

    def offer(self, assessment_id: str, vector: Floats) -> None:
        """Hand over a committed assessment; does nothing without a challenger, and never waits."""
        if self._challenger() is None:
            return
        try:
            self._waiting.put_nowait((assessment_id, vector))
        except queue.Full:
            metrics.shadow_missed_total.labels("full").inc()

    def stop(self) -> None:
        """Score what is waiting, then end."""
        self._stopping.set()
        with suppress(queue.Full):  # then the thread is not waiting for anything
            self._waiting.put_nowait(None)
        self._thread.join(_STOP_S)

    def _work(self) -> None:
        while not (self._stopping.is_set() and self._waiting.empty()):
            gathered = self._gather()
            model = self._challenger()
            if gathered and model is not None:
                try:
                    self._score(model, gathered)
                except Exception:  # noqa: BLE001 - the next ones may go well
                    _log.exception("%d assessments were not scored in the shadow", len(gathered))
                    metrics.shadow_missed_total.labels("failed").inc(len(gathered))
                    self._drop_connection()
        self._drop_connection()

    def _gather(self) -> list[tuple[str, Floats]]:
        """Waits for an assessment, and a while for more."""
        first = self._waiting.get()
        gathered = [] if first is None else [first]
        until = time.monotonic() + self._gather_seconds
        while self._waiting.qsize() < self._enough and (left := until - time.monotonic()) > 0:
            if self._stopping.wait(min(left, _LOOK_S)):
                break
        with suppress(queue.Empty):
            while len(gathered) < _MOST_AT_ONCE:
                entry = self._waiting.get_nowait()
                if entry is not None:
                    gathered.append(entry)
        return gathered

    def _score(self, model: VectorModel, gathered: list[tuple[str, Floats]]) -> None:
        scored: list[ShadowAssessment] = []
        for start in range(0, len(gathered), _MOST_SCORED):
            part = gathered[start : start + _MOST_SCORED]
            if start:
                self._stopping.wait(_PAUSE_S)
            risks = model.risk(np.stack([vector for _, vector in part])).tolist()
            now = now_us()
            scored += [
                ShadowAssessment(assessment_id, model.version, risk, now)
                for (assessment_id, _), risk in zip(part, risks, strict=True)
            ]
        if self._writer is None:
            self._writer = self._ledger.writer(durable=False)
        with self._writer.begin():
            repository.store(self._writer.connection, scored)
        metrics.shadow_scored_total.inc(len(scored))

    def _drop_connection(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            try:
                writer.close()
            except Exception:  # noqa: BLE001 - it is broken in any case
                _log.exception("a connection could not be closed")
