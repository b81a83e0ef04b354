"""What a key may be allowed to do."""

from __future__ import annotations

import enum


class Scope(enum.StrEnum):
    """One permission; a key carries one or more."""

    EVENTS_WRITE = "events:write"
    ASSESSMENTS_WRITE = "assessments:write"
    ASSESSMENTS_READ = "assessments:read"
    DISPUTES_WRITE = "disputes:write"
    NOTICES_READ = "notices:read"
    METRICS_READ = "metrics:read"


DESCRIPTIONS: dict[Scope, str] = {
    Scope.EVENTS_WRITE: "Send events to the ledger.",
    Scope.ASSESSMENTS_WRITE: "Ask for assessments, one or a batch.",
    Scope.ASSESSMENTS_READ: "Read a stored assessment with its feature vector.",
    Scope.DISPUTES_WRITE: "Hand in what a customer disputes, and ask what came of it.",
    Scope.NOTICES_READ: "Read the words of a notice to a customer.",
    Scope.METRICS_READ: "Read `/metrics`, where `RETURNWISE_METRICS_OPEN` is false.",
}
