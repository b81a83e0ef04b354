"""Settings of the simulator as a benchmark's options give them."""

from __future__ import annotations

import pytest

from benchmarks.common import simulator_settings
from pipelines.simulate.settings import SimulationError, SimulationSettings


def test_settings_have_the_types_of_the_fields() -> None:
    made = simulator_settings("break_day=400,break_kind=wardrobing,abuse_level=2")
    assert (made.break_day, made.break_kind, made.abuse_level) == (400, "wardrobing", 2.0)
    assert simulator_settings("") == SimulationSettings()


@pytest.mark.parametrize("text", ["abuse=2", "abuse_level", "abuse_level="])
def test_what_is_no_setting_is_named(text: str) -> None:
    with pytest.raises(SystemExit, match="no setting of the simulator; known are abuse_level"):
        simulator_settings(text)


def test_what_is_out_of_bounds_is_said() -> None:
    with pytest.raises(SimulationError, match="lapse_rate must be between"):
        simulator_settings("lapse_rate=3")
