"""Values at many moments, for training tables: sort once, then read differences of running sums.

A fact enters a window when it was recorded and leaves it when the window has passed its occurrence, so at moment t

    sum over the window = sum of what has entered before t - sum of what has left before t,

and both are running sums over the facts of a key in order of entering, respectively leaving. Moments are replaced by
ranks among the asked moments, which keeps every comparison exact and every sort key a small integer.

Which entities and which facts is the caller's affair: those of returns unless others are given.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from features import declarations
from features.clock import FOREVER, SECOND, window_us
from features.history import Facts, History
from features.kernel.one import parties_of
from features.kernel.sums import Groups, located, running
from features.measures import Age, Distinct, Entity, FactKind, Ints, names_of

_CHUNK = 12_500
#: Chunks computed at the same time: sorting and searching, most of the work, run beside each other in threads. Each
#: takes memory, so not one for every core of a large machine.
_THREADS: Final = 2


@dataclass(frozen=True)
class Asked:
    """Requests to answer, n of each: codes of the parties (-1: none), row of the order (-1: unknown) and moment."""

    keys: dict[str, Ints]
    order: Ints
    moment: Ints

    def __len__(self) -> int:
        return len(self.moment)

    def take(self, rows: Ints) -> Asked:
        """The requests at `rows`."""
        return Asked({party: codes[rows] for party, codes in self.keys.items()}, self.order[rows], self.moment[rows])


def chunks(
    history: History,
    asked: Asked,
    entities: Sequence[Entity] = declarations.EXACT,
    *,
    by: str = "customer",
    size: int = _CHUNK,
) -> Iterator[tuple[Ints, npt.NDArray[np.float64]]]:
    """Answers in chunks of about `size` requests: (rows of `asked`, what `values` gives for them).

    Requests are taken by customer, or by another party that the entities are about, so that each chunk needs only its
    own customers' part of the history and time and memory stay proportional to the whole.
    """
    in_turn = np.argsort(asked.keys[by], kind="stable")
    index = _Index(history, entities)
    parts = [in_turn[start : start + size] for start in range(0, len(asked), size)]

    def answer(rows: Ints) -> npt.NDArray[np.float64]:
        return values(*index.narrowed(asked.take(rows)), entities)

    if len(parts) == 1:
        yield parts[0], answer(parts[0])
        return
    with ThreadPoolExecutor(_THREADS) as pool:
        begun: deque[tuple[Ints, Future[npt.NDArray[np.float64]]]] = deque()
        for rows in parts:
            begun.append((rows, pool.submit(answer, rows)))
            if len(begun) > _THREADS:
                rows, answered = begun.popleft()
                yield rows, answered.result()
        for rows, answered in begun:
            yield rows, answered.result()


class _Index:
    """Where the orders of each key and the facts of each order stand, so that a chunk costs what it holds."""

    def __init__(self, history: History, entities: Sequence[Entity]) -> None:
        self._history = history
        parties = dict.fromkeys(party for entity in entities for party in parties_of(entity))
        self._orders = {
            party: Groups.of(history.keys[party], int(history.keys[party].max(initial=-1)) + 1) for party in parties
        }
        self._facts = {kind: Groups.of(facts.order, len(history.order_nos)) for kind, facts in history.facts.items()}

    def narrowed(self, asked: Asked) -> tuple[History, Asked]:
        """Only the orders that share a key with a request, and their facts, in columns of int64."""
        history = self._history
        parts = [asked.order[asked.order >= 0]]
        for party, of_party in self._orders.items():
            codes = np.unique(asked.keys[party])
            parts.append(of_party.rows_of(codes[codes >= 0]))
        for facts in history.facts.values():
            if facts.returner is not None:
                parts.append(facts.order[np.isin(facts.returner, asked.keys["customer"]) & (facts.returner >= 0)])
        orders = np.unique(np.concatenate(parts))
        narrow: dict[FactKind, Facts] = {}
        for kind, facts in history.facts.items():
            keep = self._facts[kind].rows_of(orders)
            narrow[kind] = Facts(
                {name: column[keep].astype(np.int64) for name, column in facts.columns.items()},
                np.searchsorted(orders, facts.order[keep]),
                None if facts.returner is None else facts.returner[keep].astype(np.int64),
            )
        place = np.minimum(np.searchsorted(orders, asked.order), max(len(orders) - 1, 0))
        return (
            History(
                history.order_nos[orders],
                [],  # requests name their orders by row, not by id
                {party: codes[orders].astype(np.int64) for party, codes in history.keys.items()},
                history.names,
                narrow,
            ),
            Asked(asked.keys, np.where(asked.order >= 0, place, -1), asked.moment),
        )


def values(history: History, asked: Asked, entities: Sequence[Entity] = declarations.EXACT) -> npt.NDArray[np.float64]:
    """Exact values of the entities for every request, in the order of `names_of(entities)`: shape (n, names); NaN for
    an age without a fact."""
    return _Table(history, asked, entities).fill()


class _Table:
    """The work of one chunk: ranks that all entities share, and the result as it fills."""

    def __init__(self, history: History, asked: Asked, entities: Sequence[Entity]) -> None:
        self.history = history
        self.asked = asked
        self.entities = entities
        self.moments, self.rank = np.unique(asked.moment, return_inverse=True)
        self.span: Final = len(self.moments) + 2
        names = names_of(entities)
        self.result = np.zeros((len(asked), len(names)), dtype=np.float64)
        self._ranks: dict[tuple[FactKind, str], Ints] = {}
        self._sums: dict[FactKind, dict[str, Ints]] = {}
        self._position = {name: position for position, name in enumerate(names)}

    def fill(self) -> npt.NDArray[np.float64]:
        for entity in self.entities:
            self._entity(entity)
        return self.result

    def _ranked(self, kind: FactKind, window: str) -> Ints:
        """Rank from which a fact has left the window ("entered": from which it is recorded): a request whose rank is
        at least that is later than that moment."""
        key = (kind, window)
        if key not in self._ranks:
            columns = self.history.facts[kind].columns
            moment = columns["recorded_at"]
            if window != "entered":
                moment = np.maximum(moment, columns["occurred_at"] + window_us(window))
            self._ranks[key] = np.searchsorted(self.moments, moment, side="right")
        return self._ranks[key]

    def _measured(self, kind: FactKind, name: str) -> Ints:
        known = self._sums.setdefault(kind, {})
        if name not in known:
            measure = next(m for e in self.entities for m in e.measures if m.facts == kind and m.name == name)
            known[name] = np.asarray(measure.value(self.history.facts[kind].columns), dtype=np.int64)
        return known[name]

    def _entity(self, entity: Entity) -> None:
        own = _Keys(entity, self.history, self.asked)
        kinds = {measure.facts for measure in entity.measures}
        for kind in kinds:
            rows, codes = own.of_facts(kind)
            if len(rows):
                self._sum(entity, kind, own, rows, codes)
        if entity.distincts:
            rows, codes = own.of_facts("orders")
            for distinct in entity.distincts:
                self._distinct(entity, distinct, own, rows, codes)
        for age in entity.ages:
            rows, codes = own.of_facts(age.facts)
            self._age(entity, age, own, rows, codes)

    def _at(self, own: _Keys, codes: Ints, ranks: Ints) -> tuple[Ints, Ints, Ints]:
        return located(codes, ranks, own.asked, self.rank[own.rows], self.span)

    def _sum(self, entity: Entity, kind: FactKind, own: _Keys, rows: Ints, codes: Ints) -> None:
        measures = [measure for measure in entity.measures if measure.facts == kind]
        table = np.stack([self._measured(kind, measure.name)[rows] for measure in measures], axis=1)
        entered = self._running(own, codes, self._ranked(kind, "entered")[rows], table)
        for window in entity.windows:
            total = entered
            if window_us(window) < FOREVER:
                total = entered - self._running(own, codes, self._ranked(kind, window)[rows], table)
            for column, measure in enumerate(measures):
                self.result[own.rows, self._position[f"{entity.name}_{measure.name}_{window}"]] = total[:, column]

    def _running(self, own: _Keys, codes: Ints, ranks: Ints, table: Ints) -> Ints:
        return running(codes, ranks, table, own.asked, self.rank[own.rows], self.span)

    def _distinct(self, entity: Entity, distinct: Distinct, own: _Keys, rows: Ints, codes: Ints) -> None:
        other = self.history.keys[distinct.of][rows]
        present = other >= 0
        rows, codes, other = rows[present], codes[present], other[present]
        if not len(rows):
            return
        _, pair = np.unique(codes * (int(other.max()) + 1) + other, return_inverse=True)
        entered = self._ranked("orders", "entered")[rows]
        order = np.argsort(pair * self.span + entered, kind="stable")
        pair, codes, entered, rows = pair[order], codes[order], entered[order], rows[order]
        for window in entity.windows:
            # A pair counts over a union of intervals [entered, left); only their outer ends change the count.
            left = (
                self._ranked("orders", window)[rows]
                if window_us(window) < FOREVER
                else np.full(len(rows), self.span - 1, dtype=np.int64)
            )
            offset = pair * self.span
            reach = np.maximum.accumulate(offset + left)
            starts = np.ones(len(rows), dtype=bool)
            starts[1:] = reach[:-1] < (offset + entered)[1:]
            ends = np.append(starts[1:], True)
            _, first, last = self._at(own, codes[starts], entered[starts])
            count = last - first
            _, first, last = self._at(own, codes[ends], (reach - offset)[ends])
            self.result[own.rows, self._position[f"{entity.name}_{distinct.name}_{window}"]] = count - (last - first)

    def _age(self, entity: Entity, age: Age, own: _Keys, rows: Ints, codes: Ints) -> None:
        target = self._position[f"{entity.name}_{age.name}"]
        self.result[:, target] = np.nan
        facts = self.history.facts[age.facts]
        if age.where is not None and len(rows):
            chosen = age.where(facts.columns)[rows]
            rows, codes = rows[chosen], codes[chosen]
        if not len(rows):
            return
        moments, place = np.unique(facts.columns["occurred_at"][rows], return_inverse=True)
        if age.end == "first":
            place = len(moments) - 1 - place
        order, first, last = self._at(own, codes, self._ranked(age.facts, "entered")[rows])
        best = np.maximum.accumulate(codes[order] * len(moments) + place[order]) % len(moments)
        found = last > first
        place = best[last[found] - 1]
        occurred = moments[len(moments) - 1 - place if age.end == "first" else place]
        asked = own.rows[found]
        self.result[asked, target] = (self.asked.moment[asked] - occurred) // SECOND


class _Keys:
    """Codes of one entity among the requests: small consecutive integers, facts of nobody asked left out."""

    def __init__(self, entity: Entity, history: History, asked: Asked) -> None:
        self._history = history
        self._parties = parties_of(entity)
        if self._parties:
            parts = [asked.keys[party] for party in self._parties]
            self._widths = [
                max(int(history.keys[party].max(initial=-1)), int(asked.keys[party].max(initial=-1)), 0) + 1
                for party in self._parties
            ]
            for facts in history.facts.values():
                if self._parties[0] == "customer" and facts.returner is not None:
                    self._widths[0] = max(self._widths[0], int(facts.returner.max(initial=-1)) + 1)
        else:
            parts = [asked.order]
            self._widths = [len(history.order_nos) + 1]
        joined = self._joined(parts)
        self.rows = np.flatnonzero(joined >= 0)
        self._distinct, self.asked = np.unique(joined[self.rows], return_inverse=True)

    def _joined(self, parts: list[Ints]) -> Ints:
        joined = parts[0]
        for part, width in zip(parts[1:], self._widths[1:], strict=True):
            joined = np.where((joined >= 0) & (part >= 0), joined * width + part, -1)
        return joined

    def of_facts(self, kind: FactKind) -> tuple[Ints, Ints]:
        """Rows of the facts of asked keys, and the code of each."""
        facts = self._history.facts[kind]
        if not len(facts) or not len(self._distinct):
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
        parts = [self._history.fact_keys(kind, party) for party in self._parties] or [facts.order]
        joined = self._joined(parts)
        place = np.minimum(np.searchsorted(self._distinct, joined), len(self._distinct) - 1)
        rows = np.flatnonzero(self._distinct[place] == joined)
        return rows, place[rows]
