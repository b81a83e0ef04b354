"""Recipes as TOML files: what `returnwise search` writes and `returnwise train --recipe` reads.

A file may name only what it changes; the rest is that of the default recipe.
"""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from training.errors import RecipeError
from training.model import Recipe

_Share = Annotated[float, Field(gt=0, le=1)]
_Positive = Annotated[float, Field(ge=0, le=1e6)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class _Trees(_Part):
    """Parameters of LightGBM that decide about the trees. Objective, seed and threads are not among them."""

    learning_rate: _Share | None = None
    num_leaves: int | None = Field(None, ge=2, le=255)
    max_depth: int | None = Field(None, ge=1, le=16)
    min_data_in_leaf: int | None = Field(None, ge=1, le=1_000_000)
    min_sum_hessian_in_leaf: _Positive | None = None
    min_gain_to_split: _Positive | None = None
    lambda_l1: _Positive | None = None
    lambda_l2: _Positive | None = None
    path_smooth: _Positive | None = None
    feature_fraction: _Share | None = None
    feature_fraction_bynode: _Share | None = None
    bagging_fraction: _Share | None = None
    bagging_freq: int | None = Field(None, ge=0, le=1_000)
    extra_trees: bool | None = None
    max_bin: int | None = Field(None, ge=2, le=255)
    cat_smooth: _Positive | None = None
    cat_l2: _Positive | None = None
    max_cat_threshold: int | None = Field(None, ge=1, le=1_000)
    min_data_per_group: int | None = Field(None, ge=1, le=1_000_000)


class _File(_Part):
    max_trees: int = Field(Recipe().max_trees, ge=1, le=5_000)
    thin_orders: int = Field(Recipe().thin_orders, ge=1, le=1_000)
    tree_weight_clip: float = Field(Recipe().tree_weight_clip, ge=1, le=1_000)
    unchecked_weight: float = Field(Recipe().unchecked_weight, ge=0, le=1)
    trees: _Trees = _Trees()


def read_recipe(path: Path) -> Recipe:
    """The recipe of a file. Raises `RecipeError`, which names the file and the field."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        file = _File.model_validate(content)
    except OSError as e:
        raise RecipeError(f"cannot read the recipe {path}: {e.strerror}") from e
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as e:
        raise RecipeError(f"the recipe {path} is no TOML: {e}") from e
    except ValidationError as e:
        raise RecipeError(f"the recipe {path}: {_first(e)}") from e
    default = Recipe()
    return replace(
        default,
        max_trees=file.max_trees,
        thin_orders=file.thin_orders,
        tree_weight_clip=file.tree_weight_clip,
        unchecked_weight=file.unchecked_weight,
        trees={**default.trees, **file.trees.model_dump(exclude_none=True)},
    )


def _first(errors: ValidationError) -> str:
    error = errors.errors()[0]
    field = ".".join(map(str, error["loc"]))
    if error["type"] == "extra_forbidden":
        known = _Trees if len(error["loc"]) > 1 else _File
        return f"{field} is not a field of a recipe; {', '.join(known.model_fields)} are"
    return f"{field}: {error['msg']} (it is {error['input']!r})"


def recipe_text(recipe: Recipe, comment: str = "") -> str:
    """A recipe as TOML, with a comment above. The same recipe and comment give the same text."""
    lines = [f"# {line}".rstrip() for line in comment.splitlines()]
    lines += [f"{name} = {_value(getattr(recipe, name))}" for name in _File.model_fields if name != "trees"]
    lines += ["", "[trees]"]
    lines += [f"{name} = {_value(value)}" for name, value in recipe.trees.items() if name in _Trees.model_fields]
    return "\n".join(lines) + "\n"


def _value(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else repr(value)
