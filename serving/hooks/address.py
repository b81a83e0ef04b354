"""Where webhooks may go: to the internet over TLS, not into one's own network.

An address is checked when it is written down, and its host is looked up and checked again on every attempt; the
connection then goes to the very IP address that was checked, so a name that changes its mind in between leads nowhere.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from features.ledger.characters import FORBIDDEN_PATTERN
from serving.refused import Refused

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

_LONGEST: Final = 2_000
_PORTS: Final = {"https": 443, "http": 80}
#: In whose last four bytes an IPv4 address stands: translated on the way (RFC 6052, 8215, 7915), or compatible.
_TRANSLATED: Final = tuple(
    ipaddress.IPv6Network(each) for each in ("64:ff9b::/96", "64:ff9b:1::/48", "::ffff:0:0:0/96", "::/96")
)
_MOST_ADDRESSES: Final = 3


class AddressError(Refused):
    """Webhooks may not go there."""

    def __init__(self, key: str, **values: Any) -> None:
        super().__init__(f"hooks.{key}", "url", **values)


@dataclass(frozen=True, slots=True)
class Target:
    """Where an attempt goes: the parts of a URL, and the IP addresses to try in turn."""

    scheme: str
    host: str
    port: int
    path: str
    addresses: tuple[str, ...] = ()

    @property
    def host_header(self) -> str:
        """The value of `Host`."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    def url(self, address: str) -> str:
        """The URL with an IP address for the host."""
        host = f"[{address}]" if ":" in address else address
        return f"{self.scheme}://{host}:{self.port}{self.path}"


def parse(url: str, *, inside: bool) -> Target:
    """The parts of a URL, without looking its host up.

    `inside`: whether webhooks may also go to private and loopback addresses, and to loopback without TLS.

    Raises:
        AddressError: it is no URL that webhooks may be sent to.
    """
    if len(url) > _LONGEST or FORBIDDEN_PATTERN.search(url) or any(char.isspace() for char in url):
        raise AddressError("url_length", most=_LONGEST)
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise AddressError("url_form") from None
    if parts.scheme not in _PORTS or not host:
        raise AddressError("url_host")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise AddressError("url_parts")
    literal = _literal(host)
    if literal is not None:
        check(literal, inside=inside)
    if parts.scheme == "http" and not (inside and _is_loopback(host, literal)):
        raise AddressError("url_tls")
    try:
        host = host if literal is not None else host.encode("idna").decode()
    except UnicodeError:
        raise AddressError("url_name") from None
    return Target(parts.scheme, host, port or _PORTS[parts.scheme], _path(parts))


async def resolve(url: str, *, inside: bool) -> Target:
    """The target of an attempt, its host looked up now.

    Raises:
        AddressError: the host has no address, or one that webhooks may not go to.
    """
    target = parse(url, inside=inside)
    try:
        found = await asyncio.get_running_loop().getaddrinfo(
            target.host, target.port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP
        )
    except OSError:
        raise AddressError("host_unknown") from None
    addresses = tuple(dict.fromkeys(str(entry[4][0]) for entry in found))[:_MOST_ADDRESSES]
    for address in addresses:
        ip = ipaddress.ip_address(address.partition("%")[0])
        check(ip, inside=inside)
        if target.scheme == "http" and not ip.is_loopback:
            raise AddressError("host_tls")
    if not addresses:
        raise AddressError("host_unknown")
    return Target(target.scheme, target.host, target.port, target.path, addresses)


def check(ip: IPAddress, *, inside: bool) -> None:
    """Raises:
    AddressError: webhooks may not go there. Link-local addresses are never allowed: clouds hand out their
        machines' credentials there.
    """
    for each in (ip, *_embedded(ip)):
        if each.is_multicast or each.is_unspecified or each.is_link_local:
            raise AddressError("host_never")
        private = not each.is_global or (isinstance(each, ipaddress.IPv6Address) and each.is_site_local)
        if private and not inside and not _embedded(each):
            raise AddressError("host_private")


def _embedded(ip: IPAddress) -> tuple[IPAddress, ...]:
    """IPv4 addresses that an IPv6 address stands for."""
    if isinstance(ip, ipaddress.IPv4Address):
        return ()
    found: list[IPAddress] = [each for each in (ip.ipv4_mapped, ip.sixtofour) if each is not None]
    if ip.teredo is not None:
        found += ip.teredo
    if int(ip) > 0xFFFF and any(ip in network for network in _TRANSLATED):  # not :: and ::1
        found.append(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF))
    return tuple(found)


def _literal(host: str) -> IPAddress | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _is_loopback(host: str, literal: IPAddress | None) -> bool:
    return literal.is_loopback if literal is not None else host == "localhost"


def _path(parts: SplitResult) -> str:
    path = parts.path or "/"
    return f"{path}?{parts.query}" if parts.query else path
