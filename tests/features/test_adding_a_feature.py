"""What `docs/adding-a-feature.md` promises: one declaration, and the value is everywhere."""

from __future__ import annotations

import re
import subprocess
import sys

from tests.support.repository import ROOT

_SCRIPT = """
import dataclasses
from pathlib import Path
import features.declarations as declarations
from features.measures import Measure

exec(compile({measure!r}, "docs", "exec"), vars(declarations))
CUSTOMER = declarations.CUSTOMER
grown = dataclasses.replace(CUSTOMER, measures=(*CUSTOMER.measures, declarations.GIFT_RETURNS))
for name in ("EXACT", "ENTITIES"):
    setattr(declarations, name, tuple(grown if e is CUSTOMER else e for e in getattr(declarations, name)))

import features.signals.customer as signals
exec(compile({signal!r}, "docs", "exec"), vars(signals))

from features.kernel import many, one
from features.repo import objects
from features.service import MODEL_FEATURES, VECTOR
from features.settings import Settings

wanted = ["customer_gift_returns_" + window for window in ("7d", "30d", "90d", "365d", "lifetime")]
views = [o for o in objects(Settings(home=Path("nowhere")))[0] if getattr(o, "name", "") == "customer_history"]
fields = {{field.name for field in views[0].schema}}
assert set(wanted) <= set(one.NAMES), "live"
assert many.chunks.__defaults__ == many.values.__defaults__ == (declarations.EXACT,), "training"
assert set(wanted) <= fields, "Feast"
assert set(wanted) <= set(VECTOR), "stored vector"
assert MODEL_FEATURES[-1].name == "customer_gift_share_365d" and MODEL_FEATURES[-1].name in VECTOR, "model"
assert MODEL_FEATURES[-1].value({{"customer_gift_returns_365d": 1.0, "customer_returns_365d": 3.0}}) == 0.25
print("everywhere")
"""


def test_one_declaration_puts_a_feature_everywhere() -> None:
    page = (ROOT / "docs" / "adding-a-feature.md").read_text(encoding="utf-8")
    measure, signal = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    script = _SCRIPT.format(measure=measure, signal=signal)
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == "everywhere\n", done.stderr
