"""A FastAPI application that does nothing: the floor under every answer."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

app = FastAPI()


@app.get("/healthz")
async def healthz() -> dict[str, str]:
    """Ready as soon as it listens."""
    return {"status": "ok"}


@app.post("/")
async def empty(body: dict[str, Any]) -> dict[str, str]:
    """Reads a JSON body and says how many members it has."""
    return {"members": str(len(body))}
