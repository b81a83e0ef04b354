"""One attempt to deliver a message: signed by the Standard Webhooks specification, one POST, no redirects."""

from __future__ import annotations

import asyncio
import email.utils
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import httpx
from standardwebhooks import Webhook

from serving.hooks.address import AddressError, resolve

_TOTAL_S: Final = 20.0
_TIMEOUT: Final = httpx.Timeout(15.0, connect=5.0)
_LONGEST_TROUBLE: Final = 200
GONE: Final = 410
#: The receiver has too much to do: everything else for it waits, too.
BUSY: Final = frozenset((429, 502, 503, 504))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an attempt: the status, if there was an answer; the trouble, if it failed; the wait asked for."""

    status: int | None = None
    trouble: str | None = None
    asked_s: float | None = None

    @property
    def delivered(self) -> bool:
        """Whether the message was taken."""
        return self.trouble is None


def new_client(trusted: ssl.SSLContext) -> httpx.AsyncClient:
    """A client for attempts at one endpoint: it takes no proxy from the environment and follows no redirects.

    Not for several: its connections are kept by IP address, and the certificate is checked when one is opened.
    """
    return httpx.AsyncClient(
        verify=trusted,
        timeout=_TIMEOUT,
        follow_redirects=False,
        trust_env=False,
        headers={"User-Agent": "Returnwise-Webhooks/1"},
    )


def signed_headers(message_id: str, content: str, secrets: Sequence[str], now: datetime) -> dict[str, str]:
    """The headers of the specification; one signature for each secret, that in force first."""
    signatures = [Webhook(secret).sign(message_id, now, content) for secret in secrets]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


async def attempt(
    client: httpx.AsyncClient, url: str, message_id: str, content: str, secrets: Sequence[str], *, inside: bool
) -> Outcome:
    """Send a message once. Whatever goes wrong is an outcome, and no exception."""
    try:
        async with asyncio.timeout(_TOTAL_S):
            target = await resolve(url, inside=inside)
            headers = signed_headers(message_id, content, secrets, datetime.now(UTC))
            headers |= {"Host": target.host_header, "Content-Type": "application/json"}
            last: Outcome | None = None
            for address in target.addresses:
                try:
                    return await _post(client, target.url(address), target.host, headers, content)
                except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                    last = Outcome(trouble=_told(error))
            assert last is not None
            return last
    except TimeoutError:
        return Outcome(trouble=f"no answer within {_TOTAL_S:g} seconds")
    except AddressError as error:
        return Outcome(trouble=error.message)
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        return Outcome(trouble=_told(error))


async def _post(client: httpx.AsyncClient, url: str, host: str, headers: dict[str, str], content: str) -> Outcome:
    extensions = {"sni_hostname": host}  # the certificate is checked for this name, though the URL has an address
    async with client.stream("POST", url, headers=headers, content=content.encode(), extensions=extensions) as response:
        status = response.status_code  # what else it says is not read, however much it may be
        if 200 <= status < 300:
            return Outcome(status)
        asked_s = _seconds(response.headers.get("retry-after", ""))
        return Outcome(status, f"answered {status}", asked_s)


def _seconds(retry_after: str) -> float | None:
    """`Retry-After` in seconds, given so or as a date."""
    if retry_after.isascii() and retry_after.isdecimal() and len(retry_after) < 10:
        return float(retry_after)
    try:
        moment = email.utils.parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    return max(0.0, moment.timestamp() - time.time()) if moment.tzinfo else None


def _told(error: Exception) -> str:
    """Names the kind of error; texts of errors may hold what the other side has sent."""
    kinds: dict[type[Exception], str] = {
        httpx.ConnectTimeout: "could not connect in time",
        httpx.ConnectError: "could not connect",
        httpx.ReadTimeout: "no answer in time",
        httpx.RemoteProtocolError: "the answer was not HTTP",
    }
    told = kinds.get(type(error), type(error).__name__)
    cause = error.__cause__ or error.__context__
    while cause is not None and cause.__cause__ is not None:
        cause = cause.__cause__
    if isinstance(cause, OSError) and cause.strerror:
        told = f"{told}: {cause.strerror}"
    return told[:_LONGEST_TROUBLE]
