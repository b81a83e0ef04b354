"""Recipes as files: what is written reads back, what is wrong is named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from training.errors import RecipeError
from training.model import Recipe
from training.recipe_file import read_recipe, recipe_text
from training.search.space import default, recipe_of


@pytest.mark.parametrize(
    "recipe",
    [Recipe(), recipe_of({**default(), "learning_rate": 0.0234, "extra_trees": False, "num_leaves": 7})],
    ids=["default", "found"],
)
def test_what_is_written_reads_back(tmp_path: Path, recipe: Recipe) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(recipe_text(recipe, "two\nlines"))
    assert read_recipe(path) == recipe
    assert path.read_text().startswith("# two\n# lines\n")


def test_what_a_file_leaves_out_is_that_of_the_default(tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text("[trees]\nlearning_rate = 0.1\nlambda_l1 = 1\n")
    trees = {**Recipe().trees, "learning_rate": 0.1, "lambda_l1": 1.0}
    assert read_recipe(path) == replace(Recipe(), trees=trees)
    path.write_text("")
    assert read_recipe(path) == Recipe()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[trees]\nlearning_rate = 2.0", r"trees\.learning_rate: .*less than or equal to 1.*it is 2\.0"),
        ("[trees]\nnum_leaves = 1.5", r"trees\.num_leaves: .*integer.*it is 1\.5"),
        ("[trees]\nextra_trees = 1", r"trees\.extra_trees: .*boolean"),
        ("[trees]\nlambda_l2 = nan", r"trees\.lambda_l2: .*finite"),
        ("[trees]\nobjective = 'huber'", r"trees\.objective is not a field of a recipe; learning_rate, "),
        ("max_tree = 10", r"max_tree is not a field of a recipe; max_trees, "),
        ("max_trees = 0", r"max_trees: .*greater than or equal to 1"),
        ("trees = 3", r"trees: "),
        ("max_trees = ", r"is no TOML: Invalid value"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(RecipeError, match=rf"mine\.toml.*{message}"):
        read_recipe(path)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"cannot read the recipe .*none\.toml: No such file"):
        read_recipe(tmp_path / "none.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(RecipeError, match="is no TOML"):
        read_recipe(tmp_path / "bytes.toml")
