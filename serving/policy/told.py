"""A simulation as a document: plain figures that can be kept and shown again."""

from __future__ import annotations

from typing import Any

from serving.policy.simulation import Days, Figures, Simulation


def document(made: Simulation) -> dict[str, Any]:
    """The simulation as JSON's types; shares from 0 to 1, money in the currency it names, days since 1970."""
    return {
        "versions": list(made.versions),
        "currency": made.currency,
        "returns": made.figures[0].returns,
        "answered": made.answered,
        "estimated": made.estimated,
        "left_out": made.left_out,
        "first_day": made.first_day,
        "last_day": made.last_day,
        "figures": [_figures(figures) for figures in made.figures],
        "days": [_days(days) for days in made.days],
        "segments": [
            {
                "dimension": segment.dimension,
                "name": segment.name,
                "returns": segment.figures[0].returns,
                "figures": [_figures(figures) for figures in segment.figures],
            }
            for segment in made.segments
        ],
        "moved": [[before, after, count] for (before, after), count in made.moved.items()],
    }


def _figures(figures: Figures) -> dict[str, Any]:
    looked_at = figures.actions["inspect_before_refund"] + figures.actions["staff_review"]
    return {
        **figures._asdict(),
        "known": figures.known._asdict(),
        "looked_at": looked_at,
        "put_off_per_100": 100 * figures.put_off / max(figures.returns, 1),
    }


def _days(days: Days) -> dict[str, Any]:
    return {
        "checks": [round(checks, 2) for checks in days.checks.tolist()],
        "capacity": days.capacity,
        "days_over": days.days_over,
        "least_gain": days.least_gain,
        "proposed": days.proposed,
        "mean": days.mean,
        "high": days.high,
        "share_over": days.share_over,
    }
