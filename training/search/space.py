"""What a search may vary, and within which bounds: the only place that says so.

The bounds keep a model's explanations quick. The time of SHAP contributions grows with trees x leaves x depth squared
(Lundberg et al., 2020, From local explanations to global understanding with explainable AI for trees), so the number
of trees is not searched: early stopping finds it, below what `BUDGET` leaves for trees of such a shape.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from training.model import MAX_TREES, TREE_PARAMETERS, Recipe

SPACE: Final[Mapping[str, BaseDistribution]] = MappingProxyType(
    {
        "learning_rate": FloatDistribution(0.02, 0.2, log=True),
        "num_leaves": IntDistribution(4, 24),
        "max_depth": IntDistribution(3, 7),
        "min_data_in_leaf": IntDistribution(5, 200, log=True),
        "lambda_l2": FloatDistribution(0.5, 50.0, log=True),
        "feature_fraction": FloatDistribution(0.2, 1.0),
        "bagging_fraction": FloatDistribution(0.5, 1.0),
        "extra_trees": CategoricalDistribution((False, True)),
        "tree_weight_clip": FloatDistribution(1.0, 10.0, log=True),
    }
)
#: trees x leaves x depth squared: that of the default recipe. Over shapes of the space within it, contributions of one
#: return took between 0.11 and 0.45 ms (121 features), the default recipe's 0.42 ms.
BUDGET: Final = MAX_TREES * int(TREE_PARAMETERS["num_leaves"]) * int(TREE_PARAMETERS["max_depth"]) ** 2
#: However small the trees.
MOST_TREES: Final = 400
_DIGITS: Final = 3


def default() -> dict[str, Any]:
    """The point of the space that is the default recipe."""
    recipe = Recipe()
    return {name: recipe.tree_weight_clip if name == "tree_weight_clip" else recipe.trees[name] for name in SPACE}


def recipe_of(point: Mapping[str, Any]) -> Recipe:
    """The recipe of a point of the space; numbers rounded to what a person would write down."""
    rounded: dict[str, Any] = {
        name: float(f"{v:.{_DIGITS}g}") if isinstance(v, float) else v for name, v in point.items()
    }
    clip = rounded.pop("tree_weight_clip")
    return Recipe(
        max_trees=most_trees(rounded["num_leaves"], rounded["max_depth"]),
        trees={**TREE_PARAMETERS, **rounded},
        tree_weight_clip=clip,
    )


def most_trees(leaves: int, depth: int) -> int:
    """How many trees of a shape the budget leaves room for.

    >>> most_trees(15, 6), most_trees(24, 7), most_trees(4, 3)
    (150, 68, 400)
    """
    deepest = min(depth, leaves - 1)
    return min(MOST_TREES, BUDGET // (leaves * deepest**2))
