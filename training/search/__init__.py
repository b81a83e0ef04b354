"""Choosing a recipe by what it would have found: Optuna over time-ordered folds of the train stretch."""

from training.search.run import SearchReport, search

__all__ = ["SearchReport", "search"]
