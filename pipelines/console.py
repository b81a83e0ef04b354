"""What the command line shows: results on stdout, progress and notes on stderr."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

_NO_TERMINAL: Final = 140


def bars() -> Progress:
    """Progress bars on stderr; on a terminal they move, in a file the last state of each is written once."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(elapsed_when_finished=False),
        console=Console(stderr=True),
    )


def say(lines: Iterable[str] | str) -> None:
    """Lines for stdout, as they are: no wrapping, no markup, so that they can be copied and piped."""
    console = Console(soft_wrap=True, markup=False, highlight=False, emoji=False)
    for line in [lines] if isinstance(lines, str) else lines:
        console.print(line)


def show_tables(content: RenderableType) -> None:
    """Tables for stdout, as wide as the terminal, or as they need where there is none."""
    console = Console(highlight=False, emoji=False)
    if not console.is_terminal:
        console = Console(highlight=False, emoji=False, width=_NO_TERMINAL)
    console.print(content)


def note(line: str) -> None:
    """One line for the person at the terminal, on stderr."""
    Console(stderr=True, soft_wrap=True, markup=False, highlight=False, emoji=False).print(line)
