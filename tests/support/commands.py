"""What commands a Typer application has."""

from __future__ import annotations

import typer


def commands(app: typer.Typer) -> list[str]:
    """Full names of all commands: "ingest", "keys create", ..."""
    names = []
    for command in app.registered_commands:
        assert command.callback is not None
        names.append(command.name or command.callback.__name__.replace("_", "-"))
    for group in app.registered_groups:
        assert group.typer_instance is not None
        names += [f"{group.name} {name}" for name in commands(group.typer_instance)]
    return names
