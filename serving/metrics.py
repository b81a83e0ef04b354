"""What the service counts about itself, for Prometheus."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest, values
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

#: Latency bounds in seconds; fine around the aims of 3 and 10 ms.
_LATENCY = (0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)
_SIZES = (1, 2, 4, 8, 16, 32, 64, 128)
_PREFIX = "returnwise_"
#: Set before prometheus_client is imported, `PROMETHEUS_MULTIPROC_DIR` makes it keep values in files. `serve` does it
#: for several workers, and Feast for everybody who imports it first.
_IN_FILES = values.ValueClass is not values.MutexValue

_registry = CollectorRegistry()  # not the default one: Feast has its own metrics there

MEDIA_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

requests_total = Counter(
    "returnwise_requests_total",
    "HTTP requests by route, method and status.",
    ["route", "method", "status"],
    registry=_registry,
)
request_seconds = Histogram(
    "returnwise_request_seconds",
    "Time from the first byte of a request to its answer.",
    ["route"],
    buckets=_LATENCY,
    registry=_registry,
)
assessments_total = Counter(
    "returnwise_assessments_total",
    "New assessments by risk band and action.",
    ["risk_band", "action"],
    registry=_registry,
)
checks_total = Counter(
    "returnwise_checks_total",
    "Checks that new assessments asked for, by what picked them.",
    ["trigger"],
    registry=_registry,
)
assessments_repeated_total = Counter(
    "returnwise_assessments_repeated_total",
    "Assessments answered from the store, because they were asked for again.",
    registry=_registry,
)
cases_opened_total = Counter(
    "returnwise_cases_opened_total",
    "Cases by what opened them: action, draw, hand or dispute.",
    ["because"],
    registry=_registry,
)
cases_closed_total = Counter(
    "returnwise_cases_closed_total",
    "Verdicts of cases, and whether staff gave them or a deadline.",
    ["verdict", "by"],
    registry=_registry,
)
cases_active = Gauge(
    "returnwise_cases_active",
    "Cases without a verdict that stands, by state, at the latest sweep.",
    ["state"],
    multiprocess_mode="mostrecent",
    registry=_registry,
)
events_total = Counter(
    "returnwise_events_total", "Events taken (duplicates too) by type.", ["type"], registry=_registry
)
group_size = Histogram(
    "returnwise_commit_group_size", "Requests that shared one durable commit.", buckets=_SIZES, registry=_registry
)
commit_seconds = Histogram(
    "returnwise_commit_seconds", "Time of one durable commit.", buckets=_LATENCY, registry=_registry
)
commit_failures_total = Counter(
    "returnwise_commit_failures_total",
    "Groups that could not be committed; their requests were answered 503.",
    registry=_registry,
)
model_version = Gauge(
    "returnwise_model_version",
    "1 for the version that answers.",
    ["version"],
    multiprocess_mode="livemax",
    registry=_registry,
)
model_refused_total = Counter(
    "returnwise_model_refused_total", "Champions that were not taken, by cause.", ["cause"], registry=_registry
)
challenger_version = Gauge(
    "returnwise_challenger_version",
    "1 for the version that is assessed in the shadow.",
    ["version"],
    multiprocess_mode="livemax",
    registry=_registry,
)
challenger_refused_total = Counter(
    "returnwise_challenger_refused_total", "Challengers that were not taken, by cause.", ["cause"], registry=_registry
)
shadow_scored_total = Counter(
    "returnwise_shadow_scored_total", "Assessments that the challenger scored in the shadow.", registry=_registry
)
shadow_missed_total = Counter(
    "returnwise_shadow_missed_total",
    "Assessments that it did not score, by cause; `returnwise challenge --fill` does it later.",
    ["cause"],
    registry=_registry,
)
degraded = Gauge(
    "returnwise_degraded",
    "1 while the service works without something, by mode.",
    ["mode"],
    multiprocess_mode="livemax",
    registry=_registry,
)
#: Of the latest drift report; NaN where there is none, or it does not say. The worker asked last speaks for all.
drift_alarm = Gauge(
    "returnwise_drift_alarm",
    "1 if the latest drift report raises an alarm.",
    multiprocess_mode="livemostrecent",
    registry=_registry,
)
drift_report_age_seconds = Gauge(
    "returnwise_drift_report_age_seconds",
    "Time since the latest drift report was written.",
    multiprocess_mode="livemostrecent",
    registry=_registry,
)
drift_features_share = Gauge(
    "returnwise_drift_features_share",
    "Share of the model's features that have drifted.",
    multiprocess_mode="livemostrecent",
    registry=_registry,
)
drift_importance_share = Gauge(
    "returnwise_drift_importance_share",
    "Share of what moves the risks that drifted features carry.",
    multiprocess_mode="livemostrecent",
    registry=_registry,
)
drift_psi_max = Gauge(
    "returnwise_drift_psi_max",
    "Strongest population stability index of a feature.",
    multiprocess_mode="livemostrecent",
    registry=_registry,
)
drift_estimated_precision = Gauge(
    "returnwise_drift_estimated_precision",
    "Estimated share of findings among the riskiest 2% of returns.",
    multiprocess_mode="livemostrecent",
    registry=_registry,
)
webhooks_total = Counter(
    "returnwise_webhooks_total",
    "Attempts to deliver webhooks, by outcome; and messages given up.",
    ["outcome"],
    registry=_registry,
)
webhooks_waiting = Gauge(
    "returnwise_webhooks_waiting",
    "Webhooks that wait to be delivered.",
    multiprocess_mode="livemostrecent",
    registry=_registry,
)
shop_messages_total = Counter(
    "returnwise_shop_messages_total",
    "Webhooks of shops, by kind of shop and what became of them.",
    ["kind", "outcome"],
    registry=_registry,
)
sign_ins_total = Counter(
    "returnwise_sign_ins_total",
    "Attempts of staff to sign in, by way (password, provider) and outcome (taken, refused, too_often, failed).",
    ["way", "outcome"],
    registry=_registry,
)

#: Everything above, by name; a test holds that each stands in the documents.
NAMES: Final = (
    "returnwise_requests_total",
    "returnwise_request_seconds",
    "returnwise_assessments_total",
    "returnwise_assessments_repeated_total",
    "returnwise_checks_total",
    "returnwise_cases_opened_total",
    "returnwise_cases_closed_total",
    "returnwise_cases_active",
    "returnwise_events_total",
    "returnwise_commit_group_size",
    "returnwise_commit_seconds",
    "returnwise_commit_failures_total",
    "returnwise_model_version",
    "returnwise_model_refused_total",
    "returnwise_challenger_version",
    "returnwise_challenger_refused_total",
    "returnwise_shadow_scored_total",
    "returnwise_shadow_missed_total",
    "returnwise_degraded",
    "returnwise_drift_alarm",
    "returnwise_drift_report_age_seconds",
    "returnwise_drift_features_share",
    "returnwise_drift_importance_share",
    "returnwise_drift_psi_max",
    "returnwise_drift_estimated_precision",
    "returnwise_webhooks_total",
    "returnwise_webhooks_waiting",
    "returnwise_shop_messages_total",
    "returnwise_sign_ins_total",
)


class _Ours(Collector):
    """Our metrics out of the files of all workers."""

    def collect(self) -> Iterable[Metric]:
        found: Iterable[Metric] = MultiProcessCollector(None).collect()  # type: ignore[no-untyped-call]
        return [metric for metric in found if metric.name.startswith(_PREFIX)]


if _IN_FILES:
    _shown = CollectorRegistry()
    _shown.register(_Ours())
else:
    ProcessCollector(registry=_registry)
    _shown = _registry


def exposition() -> bytes:
    """All metrics in the text format, of all workers if there are several."""
    return generate_latest(_shown)
