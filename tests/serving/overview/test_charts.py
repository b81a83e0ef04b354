from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from serving.overview.charts import HEIGHT, WIDTH, columns, every


@given(st.lists(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 10**6)), max_size=4), max_size=400))
def test_everything_stays_in_the_picture(stacks: list[list[tuple[str, int]]]) -> None:
    made = columns(stacks, labelled=every(len(stacks), 6))
    for block in made.blocks:
        assert block.x >= 0
        assert block.x + block.width <= WIDTH + 0.1
        assert block.y >= 0
        assert block.y + block.height <= HEIGHT
    assert len(made.blocks) == sum(number > 0 for stack in stacks for _, number in stack)
    assert len(made.labels) <= 6
    assert 2 <= len(made.grid) <= 9


def test_heights_stand_for_numbers() -> None:
    made = columns([[("a", 10), ("b", 10)], [("a", 20)]], labelled=[0])
    low, high, whole = made.blocks
    assert low.height + high.height == whole.height
    assert high.y + high.height == low.y
    assert made.grid[-1].value == 20
