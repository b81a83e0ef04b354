"""The pages of the console: a module per area, each with its `pages`."""

from typing import Final

from serving.console.pages import account, frame, help, signing_in, staff
from serving.console.routing import Pages

AREAS: Final[tuple[Pages, ...]] = (
    frame.pages,
    signing_in.pages,
    account.pages,
    staff.pages,
    help.pages,
)
