"""What stops the scoring of a file as a whole; single rows are refused instead (see `reading`)."""

from __future__ import annotations

from features.errors import ReturnwiseError


class ScoreError(ReturnwiseError):
    """The file cannot be scored at all. The message names the place; `out` is as it was before."""
