"""Reading request bodies: JSON only, never more than the limit in memory."""

from __future__ import annotations

import asyncio
import contextlib
import re
from typing import Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from serving.problems import BodyTooLarge, MalformedBody, Problem, UnsupportedMedia

#: After a refusal so much more is read and thrown away, so that a client that sends before it reads sees the answer.
_DRAINED: Final = 16 * 1024 * 1024
_DRAINED_S: Final = 5
_JSON: Final = re.compile(r"application/([\w.-]+[+])?json")


async def read_json_body(request: Request, limit: int) -> bytes:
    """The whole body.

    Raises:
        UnsupportedMedia: it is declared as something else than JSON.
        BodyTooLarge: it has more than `limit` bytes; found from the declared length, or while it arrives.
        MalformedBody: it was cut off.
    """
    declared = request.headers.get("content-type", "")
    media_type = declared.partition(";")[0].strip().lower()
    if not _JSON.fullmatch(media_type):
        raise UnsupportedMedia("Send the body as application/json.", headers={"Accept-Post": "application/json"})
    if request.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        raise UnsupportedMedia("Send the body without a content encoding.", headers={"Accept-Encoding": "identity"})
    return await read_body(request, limit)


async def read_body(request: Request, limit: int) -> bytes:
    """The whole body, whatever it is.

    Raises:
        BodyTooLarge: it has more than `limit` bytes; found from the declared length, or while it arrives.
        MalformedBody: it was cut off.
    """
    length = request.headers.get("content-length", "")
    if length.isdecimal() and len(length) < 20 and int(length) > limit:
        raise _too_large(limit)
    parts: list[bytes] = []
    size = 0
    try:
        async for part in request.stream():
            size += len(part)
            if size > limit:
                raise _too_large(limit)
            parts.append(part)
    except ClientDisconnect:
        raise MalformedBody("The body was cut off.") from None
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _too_large(limit: int) -> BodyTooLarge:
    return BodyTooLarge(f"The body may have at most {limit} bytes.")


class DrainingResponse(Response):
    """An answer that is sent at once, although the client may still be sending; then the connection ends.

    Closing it with unread bytes would make the operating system throw the answer away together with them.
    """

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer, then read on for a while."""
        headers = [*self.raw_headers, (b"connection", b"close")]
        await send({"type": "http.response.start", "status": self.status_code, "headers": headers})
        await send({"type": "http.response.body", "body": bytes(self.body), "more_body": True})
        drained = 0
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_DRAINED_S):
                while drained <= _DRAINED:
                    message = await receive()
                    if message["type"] != "http.request" or not message.get("more_body", False):
                        break
                    drained += len(message.get("body", b""))
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def refusal(problem: Problem) -> Response:
    """The response to a problem, also to one that leaves a body unread."""
    response = problem.response()
    if isinstance(problem, BodyTooLarge):
        return DrainingResponse(response.body, response.status_code, problem.headers, response.media_type)
    return response
