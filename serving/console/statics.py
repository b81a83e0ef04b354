"""The console's own files: style, script, icons. Their address holds a digest of their content, so that a browser may
keep them for good."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from serving.problems import NotFound

_FOLDER: Final = Path(__file__).parent / "static"
_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_FOR_GOOD: Final = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Static:
    """A file in memory."""

    name: str
    digest: str
    media_type: str
    content: bytes
    packed: bytes


@cache
def statics() -> dict[str, Static]:
    """All files by name."""
    return {path.name: _read(path) for path in sorted(_FOLDER.iterdir()) if path.suffix in _TYPES}


def static_path(name: str) -> str:
    """The address of a file below the console.

    Raises:
        KeyError: there is no such file.
    """
    return f"/static/{statics()[name].digest}/{name}"


def answer(request: Request, digest: str, name: str) -> Response:
    """A file; one of another version than asked for is not to be kept.

    Raises:
        NotFound: there is no such file.
    """
    found = statics().get(name)
    if found is None:
        raise NotFound("There is no such file.")
    headers = {
        "Cache-Control": _FOR_GOOD if digest == found.digest else "no-cache",
        "Vary": "Accept-Encoding",
    }
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(found.packed, 200, {**headers, "Content-Encoding": "gzip"}, found.media_type)
    return Response(found.content, 200, headers, found.media_type)


def _read(path: Path) -> Static:
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()[:16]
    return Static(path.name, digest, _TYPES[path.suffix], content, gzip.compress(content, 9, mtime=0))
