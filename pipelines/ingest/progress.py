"""Progress bars: a task of the caller's display, or nothing if there is none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import Progress


@contextmanager
def advancing(progress: Progress | None, what: str, total: int) -> Iterator[Callable[[int], None]]:
    """A task of `total` units called `what`; the function sets how many are done. Full at the end unless it failed."""
    if progress is None:
        yield lambda done: None
        return
    task = progress.add_task(what, total=max(total, 1))
    yield lambda done: progress.update(task, completed=done)
    progress.update(task, completed=max(total, 1))
