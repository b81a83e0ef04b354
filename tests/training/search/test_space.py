"""The space holds the default recipe, and nothing in it is slow to explain."""

from __future__ import annotations

import itertools

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from training.model import Recipe
from training.search.space import BUDGET, SPACE, default, most_trees, recipe_of


def test_the_default_recipe_is_a_point_of_the_space() -> None:
    assert recipe_of(default()) == Recipe()
    for name, distribution in SPACE.items():
        value = default()[name]
        if isinstance(distribution, IntDistribution | FloatDistribution):
            assert distribution.low <= value <= distribution.high, name
        else:
            assert isinstance(distribution, CategoricalDistribution)
            assert value in distribution.choices, name


def test_no_shape_goes_beyond_the_budget() -> None:
    leaves, depth = SPACE["num_leaves"], SPACE["max_depth"]
    assert isinstance(leaves, IntDistribution)
    assert isinstance(depth, IntDistribution)
    for shape in itertools.product(range(leaves.low, leaves.high + 1), range(depth.low, depth.high + 1)):
        trees = most_trees(*shape)
        assert trees >= 50
        assert trees * shape[0] * min(shape[1], shape[0] - 1) ** 2 <= BUDGET


def test_numbers_are_rounded_to_what_one_would_write_down() -> None:
    recipe = recipe_of({**default(), "learning_rate": 0.0612345, "tree_weight_clip": 3.14159})
    assert recipe.trees["learning_rate"] == 0.0612
    assert recipe.tree_weight_clip == pytest.approx(3.14)
