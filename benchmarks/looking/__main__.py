"""How long does a new kind of abuse stay unseen, by where one looks?

A closed loop on the simulator. From one day on (the break) some customers take up a kind of abuse that nobody committed
before. Each strategy spends the same number of checks a day on the returns of that day: always on the highest scores;
on the highest scores and some drawn at random; as the default policy does, with more draws where the risk is uncertain;
or all at random. What a check sees is the simulator's own, misses and mistakes included, and is known days later. The
model is learned anew every few weeks from the labels of the history before the loop and those that the strategy has
earned since. The loop starts eight weeks before the break.

Held fixed: people do not change because of checks. Features are those of the recorded history, but for the customer's
own findings: they are what was known at the start and what the strategy itself has found since. Findings of others at
the same address or card, and verdicts, stay as at the start. Trees are fitted to everything that is known, without the
stretches that `returnwise train` keeps back for calibration and test. All strategies share shops, draws and sights.
"""

from __future__ import annotations

import argparse
import dataclasses
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.common import arguments, finish, say, show, simulator_settings
from benchmarks.looking.loop import Strategy, learn, run
from benchmarks.looking.outcome import MOMENTS, Outcome, outcome, steady_recall
from benchmarks.looking.shop import returns_of
from serving.policy.checks import CheckRules
from serving.policy.source import default_policy

_WARM_UP: Final = 56
_BREAK: Final = 0.7
#: About as many draws, as a share of the returns, as the default policy makes, evenly.
_DRAWS: Final = 0.015
_ALL: Final = "all kinds"


def main() -> None:
    """Runs the measurement and prints it."""
    options = arguments(
        __doc__,
        customers=(int, 10_000, "customers of each shop"),
        days=(int, 730, "length of its history"),
        seed=(int, 1, "seed of the first shop of a kind; the others follow"),
        shops=(int, 5, "number of shops for each kind"),
        kinds=(str, "false_claim,switched_item,fake_tracking", "new kinds of abuse, each in shops of its own"),
        capacity=(float, 0.05, "checks, as a share of the returns"),
        weeks=(int, 4, "weeks until the model is learned anew"),
        settings=(str, "break_share=0.03", "settings of the simulator, as name=value,name=value"),
    )
    if options.quick:
        options.customers, options.shops, options.kinds = 2_500, 2, "fake_tracking"
    home = options.home or Path(tempfile.mkdtemp(prefix="returnwise-looking-"))
    strategies = strategies_at(options.capacity)
    outcomes: dict[str, list[dict[str, Outcome]]] = {}
    shops = []
    for kind in options.kinds.split(","):
        outcomes[kind] = []
        for seed in range(options.seed, options.seed + options.shops):
            facts, found = _of_shop(home / f"{kind}-{seed}", kind, seed, strategies, options)
            outcomes[kind].append(found)
            shops.append({"kind": kind, "seed": seed, **facts, "strategies": {n: _flat(o) for n, o in found.items()}})
    if len(outcomes) > 1:
        outcomes[_ALL] = [found for of_kind in outcomes.values() for found in of_kind]
    for kind, of_kind in outcomes.items():
        where = f"{kind}, {len(of_kind)} shops"
        for unit in ("days", "checks"):
            show(f"{where}: {unit} from the break until (median, smallest to largest)", waits(of_kind, unit))
        show(f"{where}: what was found after the break", finds(of_kind))
    names = ("customers", "days", "seed", "shops", "capacity", "weeks", "settings")
    finish(
        {
            "benchmark": "looking",
            **{name: getattr(options, name) for name in names},
            "rules": {strategy.name: strategy.rules.model_dump() for strategy in strategies},
            "each": shops,
        }
    )


def strategies_at(capacity: float) -> list[Strategy]:
    """The strategies for a capacity, a share of the returns."""

    def even(rate: float) -> CheckRules:
        return CheckRules(random_rate=rate, uncertain_rate=rate, uncertain_from=1.0)

    return [
        Strategy("highest scores", even(0.0)),
        Strategy("and at random", even(min(_DRAWS, capacity))),
        Strategy("default policy", default_policy().checks),
        Strategy("only at random", even(capacity), scores=False),
    ]


def _of_shop(
    home: Path, kind: str, seed: int, strategies: Sequence[Strategy], options: argparse.Namespace
) -> tuple[dict[str, Any], dict[str, Outcome]]:
    """Facts about a shop, and the outcome of each strategy in it."""
    say(f"{kind}: shop {seed} of {options.customers:,} customers, {options.days} days {options.settings}")
    broke = round(options.days * _BREAK)
    shop = returns_of(
        home,
        customers=options.customers,
        days=options.days,
        seed=seed,
        settings=dataclasses.replace(simulator_settings(options.settings), break_kind=kind, break_day=broke),
        start_day=broke - _WARM_UP,
    )
    first = learn(shop, shop.X, shop.label, shop.checked, shop.start)
    steady = steady_recall(shop, options.capacity)
    luck = np.random.default_rng([seed, 2]).random(len(shop))
    found = {}
    for strategy in strategies:
        loop = run(shop, strategy, first, capacity=options.capacity, every_days=7 * options.weeks, luck=luck)
        found[strategy.name] = outcome(shop, loop, capacity=options.capacity, steady=steady)
    since = shop.requested_at >= shop.broke
    facts = {
        "returns": int(since.sum()),
        "new": int((shop.new & since).sum()),
        "labels_at_start": int((~np.isnan(shop.label)).sum()),
        "steady_recall": steady,
    }
    return facts, found


def _flat(of: Outcome) -> dict[str, Any]:
    """An outcome for JSON: null where a moment did not come before the end."""
    moments = {
        f"{name}_{unit}": value if np.isfinite(value) else None
        for name, when in of.moments.items()
        for unit, value in (("days", when.days), ("checks", when.checks))
    }
    rest = {field.name: getattr(of, field.name) for field in dataclasses.fields(of) if field.name != "moments"}
    return moments | rest


def waits(outcomes: Sequence[Mapping[str, Outcome]], unit: str) -> list[dict[str, str]]:
    """Of each strategy, how many `days` or `checks` (`unit`) until what is waited for: medians and ranges."""
    return [
        {"strategy": name}
        | {moment: spread([getattr(found[name].moments[moment], unit) for found in outcomes]) for moment in MOMENTS}
        for name in outcomes[0]
    ]


def finds(outcomes: Sequence[Mapping[str, Outcome]]) -> list[dict[str, str]]:
    """Of each strategy, what it found since the break, value as a share of what the first one found."""
    first = next(iter(outcomes[0]))
    rows = []
    for name in outcomes[0]:
        of = [found[name] for found in outcomes]
        against = [100 * o.value / max(found[first].value, 1.0) for o, found in zip(of, outcomes, strict=True)]
        rows.append(
            {
                "strategy": name,
                "new cases found": spread([o.new_cases for o in of]),
                "all cases found": spread([o.cases for o in of]),
                "value found, %": spread(against),
                "new kind flagged, %": spread([100 * o.flagged for o in of]),
            }
        )
    return rows


def spread(values: Sequence[float]) -> str:
    """Median and range; a dash for what did not happen before the end.

    >>> spread([12.0, 3.0, float("inf")])
    '12 (3 to -)'
    """
    shown = ["-" if np.isinf(v) else f"{v:,.0f}" for v in (float(np.median(values)), min(values), max(values))]
    return f"{shown[0]} ({shown[1]} to {shown[2]})"


if __name__ == "__main__":
    main()
