"""What the service counts about itself, for Prometheus."""

from __future__ import annotations

import os
from typing import Final

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram, generate_latest, multiprocess

#: Latency bounds in seconds; fine around the aims of 3 and 10 ms.
_LATENCY = (0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)
_SIZES = (1, 2, 4, 8, 16, 32, 64, 128)

MEDIA_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

requests_total = Counter(
    "returnwise_requests_total", "HTTP requests by route, method and status.", ["route", "method", "status"]
)
request_seconds = Histogram(
    "returnwise_request_seconds", "Time from the first byte of a request to its answer.", ["route"], buckets=_LATENCY
)
assessments_total = Counter(
    "returnwise_assessments_total", "New assessments by risk band and action.", ["risk_band", "action"]
)
assessments_repeated_total = Counter(
    "returnwise_assessments_repeated_total", "Assessments answered from the store, because they were asked for again."
)
events_total = Counter("returnwise_events_total", "Events taken (duplicates too) by type.", ["type"])
group_size = Histogram("returnwise_commit_group_size", "Requests that shared one durable commit.", buckets=_SIZES)
commit_seconds = Histogram("returnwise_commit_seconds", "Time of one durable commit.", buckets=_LATENCY)
commit_failures_total = Counter(
    "returnwise_commit_failures_total", "Groups that could not be committed; their requests were answered 503."
)
model_version = Gauge(
    "returnwise_model_version", "1 for the version that answers.", ["version"], multiprocess_mode="livemax"
)
model_refused_total = Counter("returnwise_model_refused_total", "Champions that were not taken, by cause.", ["cause"])
degraded = Gauge(
    "returnwise_degraded",
    "1 while the service works without something, by mode.",
    ["mode"],
    multiprocess_mode="livemax",
)

#: Everything above, by name; a test holds that each stands in the documents.
NAMES: Final = (
    "returnwise_requests_total",
    "returnwise_request_seconds",
    "returnwise_assessments_total",
    "returnwise_assessments_repeated_total",
    "returnwise_events_total",
    "returnwise_commit_group_size",
    "returnwise_commit_seconds",
    "returnwise_commit_failures_total",
    "returnwise_model_version",
    "returnwise_model_refused_total",
    "returnwise_degraded",
)


def exposition() -> bytes:
    """All metrics in the text format, of all workers if there are several."""
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)
    return generate_latest(REGISTRY)
