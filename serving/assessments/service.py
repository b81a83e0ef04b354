"""Making an assessment: from a request to the answer that is stored and sent.

Everything happens in one open transaction (see `serving.writer`): what is read, what is decided and what is kept belong
together, and a refusal takes back all of it.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import orjson
from sqlalchemy.engine import Connection

from features.ledger.append import Reject, append_rows
from features.ledger.identity import KeyHasher
from features.ledger.store import Ledger
from features.request import FIELD_NAMES, RequestRow, Stated, build_request_row
from features.service import SERVICE, VECTOR
from serving import metrics
from serving.assessments import repository
from serving.assessments.answer import Answerer, Assessment
from serving.assessments.features import FeatureReader, Floats
from serving.assessments.repository import KnownLine, OrderHead, Stored
from serving.assessments.schemas import AssessmentRequest, InlineOrder
from serving.cases.opening import Assessed, open_for_assessment
from serving.clock import iso, now_us
from serving.events.service import Rows, append_orders, line_row
from serving.hooks import outbox
from serving.model.holder import ModelSource
from serving.policy.source import PolicySource
from serving.problems import Conflict, FieldError, NotFound, Problem, Unavailable, clash, invalid, wrong
from serving.restrictions.repository import is_restricted

CLOCK_SKEW_US: Final = 60_000_000
_VALUE: Final = FIELD_NAMES.index("request_value")


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request whose body is valid, with the digest of what it says."""

    request: AssessmentRequest
    digest: bytes


def prepare(request: AssessmentRequest) -> Prepared:
    """What can be found out without the ledger.

    Raises:
        Invalid: the inline order does not belong to the request, or the request lies in the future.
    """
    order = request.order
    if order is not None and order.order_id not in (None, request.order_id):
        raise wrong("must be the same as the request's order_id", "order", "order_id")
    if request.requested_at is not None and request.requested_at > now_us() + CLOCK_SKEW_US:
        raise wrong("lies in the future", "requested_at")
    content = orjson.dumps(request.model_dump(exclude_none=True), option=orjson.OPT_SORT_KEYS)
    return Prepared(request, hashlib.blake2b(content, digest_size=16, person=b"assessment").digest())


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer as JSON. One that is new has an id and the vector that it rests on, a repeated one has not."""

    answer: bytes
    assessment_id: str = ""
    vector: Floats | None = None


class Assessor:
    """Makes assessments with the model in use. One per process; the methods run on the event loop."""

    def __init__(
        self,
        models: ModelSource,
        features: FeatureReader,
        policies: PolicySource,
        answerer: Answerer,
        hasher: KeyHasher,
        *,
        clock: Callable[[], int] = now_us,
    ) -> None:
        """`clock` gives the present moment; another one lives through what is past."""
        self._models = models
        self._features = features
        self._policies = policies
        self._answerer = answerer
        self._hasher = hasher
        self._clock = clock

    def is_ready(self, conn: Connection, prepared: Prepared) -> bool:
        """Whether `before` has nothing to do."""
        return self._features.is_ready(conn, prepared.request.requested_at or self._clock())

    def before(self, conn: Connection, prepared: Prepared) -> None:
        """What has to be in place first and stays, whatever becomes of the request."""
        self._features.prepare(conn, prepared.request.requested_at or self._clock())

    def warm(self, conn: Connection) -> None:
        """Read beforehand what takes longest, so that no shopper waits for it."""
        self._features.warm(conn)

    def forget(self) -> None:
        """Forget what was read in a transaction that has been taken back."""
        self._features.forget()

    def assess(self, conn: Connection, prepared: Prepared) -> Answered:
        """The answer; the stored one, if the same was asked before.

        Raises:
            Conflict: the return or the order is known with other content.
            Invalid: the request does not fit the ledger.
            Unavailable: there is no model.
        """
        with self._features.tentative():
            return self._assess(conn, prepared)

    def rescore(self, conn: Connection, return_id: str) -> float | None:
        """The risk of a return that the ledger has, for the moment at which it was asked for: by the model in use, from
        the ledger as it stands. Nothing is kept; None where there is no model or no such return."""
        known = repository.known_lines(conn, return_id)
        try:
            model = self._models.current()
        except Unavailable:
            return None
        if not known:
            return None
        head = known[0]
        returned = {line.line_id: line.quantity for line in known}
        proof = None if head.proof_of_purchase is None else bool(head.proof_of_purchase)
        stated = Stated(head.requested_at, head.reason, head.kind, head.resolution, head.tender, head.channel, proof)
        with self._features.tentative():
            if not self._features.is_ready(conn, head.requested_at):
                self._features.prepare(conn, head.requested_at)
            order_id = repository.order_id(conn, head.order_no)
            row = build_request_row(conn, order_id, returned, stated, head.customer_id)
            return model.assess(self._features.read(conn, row)).risk

    def _assess(self, conn: Connection, prepared: Prepared) -> Answered:
        request = prepared.request
        earlier = repository.answer_of(conn, request.return_id)
        if earlier is not None:
            digest, answer = earlier
            if digest != prepared.digest:
                raise clash("this return was assessed with another body", "return_id")
            metrics.assessments_repeated_total.inc()
            return Answered(answer)
        model = self._models.current()
        order = self._order(conn, request)
        known = repository.known_lines(conn, request.return_id)
        stated = self._known_request(request, order, known) if known else self._new_request(conn, request, order)
        row = self._row(conn, request, order, stated)
        vector = self._features.read(conn, row)
        estimate = model.assess(vector)
        if not known:
            self._append_return(conn, request, stated)
        parties = (("customer", row.keys["customer_id"]), *order.parties())
        repository.raise_watermarks(conn, parties, stated.requested_at)
        made = Assessment(
            secrets.token_hex(12),
            request.return_id,
            self._clock(),
            row,
            stated,
            vector,
            estimate,
            order,
            model,
            self._policies.current(conn),
            is_restricted(conn, str(row.keys["customer_id"]), stated.requested_at),
        )
        action, check, reasons, answer = self._answerer.answer(made)
        self._store(conn, prepared, made, action, answer)
        outbox.put(
            conn,
            "assessment.made",
            {
                "assessment_id": made.assessment_id,
                "return_id": made.return_id,
                "order_id": request.order_id,
                "action": action,
                "risk_band": estimate.band,
            },
            made.assessed_at,
        )
        metrics.assessments_total.labels(estimate.band, action).inc()
        if check is not None:
            open_for_assessment(conn, _assessed(made, request, action, reasons), check, made.assessed_at)
            metrics.checks_total.labels(check.trigger).inc()
        return Answered(answer, made.assessment_id, vector)

    def _order(self, conn: Connection, request: AssessmentRequest) -> OrderHead:
        """The order, appended first if it came with the request."""
        if request.order is not None:
            self._append_order(conn, request, request.order)
        order = repository.order(conn, request.order_id)
        if order is None:
            raise wrong("unknown order; send it as an event, or inline as `order`", "order_id")
        return order

    def _append_order(self, conn: Connection, request: AssessmentRequest, inline: InlineOrder) -> None:
        orders, lines = Rows(), Rows()
        row = {name: value for name, value in vars(inline).items() if name not in ("lines", "occurred_at")}
        row["order_id"] = request.order_id
        row["customer_id"] = inline.customer_id or request.customer_id
        row["ordered_at"] = inline.placed_at
        orders.add(row, "order")
        for i, line in enumerate(inline.lines):
            lines.add(line_row(request.order_id, line), "order", "lines", i)
        append_orders(conn, orders, lines, now_us=self._clock(), hasher=self._hasher)

    def _new_request(self, conn: Connection, request: AssessmentRequest, order: OrderHead) -> Stated:
        """What the request says, checked against the order."""
        bought = repository.line_quantities(conn, order.order_no)
        errors = [
            FieldError(("lines", i, "line_id"), "the order has no such line")
            for i, line in enumerate(request.lines)
            if line.line_id not in bought
        ]
        if errors:
            raise invalid(errors)
        if request.customer_id != order.customer_id and repository.has_customer(conn, request.customer_id):
            raise wrong("the order belongs to another customer", "customer_id")
        moment = request.requested_at
        if moment is None:
            moment = max(self._clock(), order.ordered_at)
        elif moment < order.ordered_at:
            raise wrong("lies before the order", "requested_at")
        return Stated(
            moment,
            request.reason,
            request.kind or "return",
            request.resolution,
            request.tender,
            request.channel,
            request.proof_of_purchase,
        )

    def _known_request(self, request: AssessmentRequest, order: OrderHead, known: Sequence[KnownLine]) -> Stated:
        """What the ledger knows of the return; the request must not say otherwise.

        Where its lines differ, the first that was recorded speaks for the return, and the request may say what any of
        them says; and of what they leave open it may say anything.
        """
        head = known[0]
        if head.order_no != order.order_no:
            raise clash("this return is known for another order", "order_id")
        if request.customer_id != (head.customer_id or order.customer_id):
            raise clash("this return is known for another customer", "customer_id")
        if {line.line_id: line.quantity for line in request.lines} != {line.line_id: line.quantity for line in known}:
            raise clash("this return is known with other lines or quantities", "lines")
        if request.requested_at not in (None, head.requested_at):
            raise clash("this return is known with another time", "requested_at")
        for name in ("reason", "kind", "resolution", "channel", "tender", "proof_of_purchase"):
            said = getattr(request, name)
            if said is not None and all(getattr(line, name) not in (None, said) for line in known):
                raise clash("this return is known with other content", name)
        proof = head.proof_of_purchase
        return Stated(
            head.requested_at,
            head.reason,
            head.kind,
            head.resolution,
            head.tender,
            head.channel,
            None if proof is None else bool(proof),
        )

    def _row(self, conn: Connection, request: AssessmentRequest, order: OrderHead, stated: Stated) -> RequestRow:
        returned = {line.line_id: line.quantity for line in request.lines}
        other = None if request.customer_id == order.customer_id else request.customer_id
        return build_request_row(conn, request.order_id, returned, stated, other)

    def _append_return(self, conn: Connection, request: AssessmentRequest, stated: Stated) -> None:
        """The return becomes an event itself, so that the next assessment counts it."""
        rows = [
            {
                "return_id": request.return_id,
                "order_id": request.order_id,
                "line_id": line.line_id,
                "customer_id": request.customer_id,
                "requested_at": stated.requested_at,
                "quantity": line.quantity,
                "reason": stated.reason,
                "kind": stated.kind,
                "resolution": stated.resolution,
                "channel": stated.channel,
                "tender": stated.tender,
                "proof_of_purchase": stated.proof_of_purchase,
            }
            for line in request.lines
        ]
        outcome = append_rows(conn, "returns", rows, live=True, now_us=self._clock(), hasher=self._hasher)
        if outcome.rejects:
            raise _refused(outcome.rejects)

    def _store(self, conn: Connection, prepared: Prepared, made: Assessment, action: str, answer: bytes) -> None:
        repository.store(
            conn,
            Stored(
                made.assessment_id,
                made.return_id,
                prepared.digest,
                made.order.order_no,
                made.stated.requested_at,
                made.assessed_at,
                made.estimate.risk,
                made.estimate.band,
                action,
                made.model.version,
                made.policy.version,
                SERVICE,
                np.ascontiguousarray(made.vector, dtype="<f8").tobytes(),
                answer,
            ),
        )


def _assessed(made: Assessment, request: AssessmentRequest, action: str, reasons: Sequence[str]) -> Assessed:
    """What a case is told of an assessment."""
    order, estimate = made.order, made.estimate
    return Assessed(
        made.assessment_id,
        made.return_id,
        order.order_no,
        request.order_id,
        request.customer_id,
        made.stated.kind,
        made.stated.reason,
        order.country,
        order.channel,
        made.row.keys["category"],
        order.currency,
        made.row.values[_VALUE],
        estimate.risk,
        estimate.band,
        " ".join(reasons),
        action,
    )


_OF_LINES: Final = ("line_id", "quantity")


def _refused(rejects: Sequence[Reject]) -> Problem:
    """The ledger's refusals as a problem; rows stand in the order of the request's lines."""
    errors = [
        FieldError(("lines", r.index, r.column) if r.column in _OF_LINES else (r.column,), r.reason) for r in rejects
    ]
    if all(reject.conflict for reject in rejects):
        return Conflict(f"{errors[0].field}: {errors[0].detail}", errors=errors)
    return invalid(errors)


def show(ledger: Ledger, assessment_id: str) -> dict[str, Any]:
    """A stored assessment with its vector by feature name.

    Raises:
        NotFound: there is none of that id.
    """
    with ledger.read() as conn:
        stored = repository.find(conn, assessment_id)
    if stored is None:
        raise NotFound("There is no assessment of that id.")
    vector = np.frombuffer(stored.vector, dtype="<f8").tolist()
    names = VECTOR if stored.feature_service == SERVICE and len(vector) == len(VECTOR) else ()
    return {
        **orjson.loads(stored.answer),
        "requested_at": iso(stored.requested_at),
        "feature_service": stored.feature_service,
        "features": {name: None if value != value else value for name, value in zip(names, vector, strict=False)},
    }
