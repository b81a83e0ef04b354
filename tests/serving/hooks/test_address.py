from __future__ import annotations

import asyncio
import ipaddress

import pytest

from serving.hooks.address import AddressError, check, parse, resolve


@pytest.mark.parametrize(
    ("url", "host", "port", "path"),
    [
        ("https://example.com", "example.com", 443, "/"),
        ("https://example.com:8443/a/b?c=d", "example.com", 8443, "/a/b?c=d"),
        ("https://bücher.example/x", "xn--bcher-kva.example", 443, "/x"),
        ("https://93.184.216.34/", "93.184.216.34", 443, "/"),
        ("https://[2606:2800:220:1::1]/", "2606:2800:220:1::1", 443, "/"),
    ],
)
def test_what_may_be_sent_to(url: str, host: str, port: int, path: str) -> None:
    target = parse(url, inside=False)
    assert (target.host, target.port, target.path) == (host, port, path)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://example.com/", "must begin with https"),
        ("http://localhost:9000/", "must begin with https"),
        ("ftp://example.com/", "must begin with https"),
        ("https:///x", "name a host"),
        ("example.com", "must begin with https"),
        ("https://user:word@example.com/", "user name"),
        ("https://example.com/#part", "after #"),
        ("https://exa mple.com/", "without blanks"),
        ("https://example.com:70000/", "not a URL"),
        ("https://[::1", "not a URL"),
        ("https://example.com/" + "x" * 2_000, "at most"),
        ("https://" + "a" * 64 + ".example/", "not a name"),
        ("https://10.1.2.3/", "private address"),
        ("https://127.0.0.1/", "private address"),
        ("https://169.254.169.254/latest/meta-data", "never"),
        ("https://0.0.0.0/", "never"),
        ("https://[::1]/", "private address"),
        ("https://[::ffff:10.0.0.1]/", "private address"),
        ("https://[64:ff9b::a9fe:a9fe]/", "never"),
        ("https://[2002:7f00:1::]/", "private address"),
        ("https://[64:ff9b:1::7f00:1]/", "private address"),
        ("https://[::127.0.0.1]/", "private address"),
        ("https://[::ffff:0:a9fe:a9fe]/", "never"),
    ],
)
def test_what_may_not(url: str, why: str) -> None:
    with pytest.raises(AddressError, match=why):
        parse(url, inside=False)


def test_a_setting_allows_inner_addresses_and_this_machine_without_tls() -> None:
    assert parse("http://localhost:9000/x", inside=True).url("127.0.0.1") == "http://127.0.0.1:9000/x"
    assert parse("http://[::1]:9000/x", inside=True).url("::1") == "http://[::1]:9000/x"
    parse("https://10.1.2.3/", inside=True)
    for url in ("http://10.1.2.3/", "http://example.com/", "https://169.254.169.254/", "https://[fe80::1]/"):
        with pytest.raises(AddressError):
            parse(url, inside=True)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8"])
def test_addresses_of_the_internet_are_allowed(address: str) -> None:
    check(ipaddress.ip_address(address), inside=False)


@pytest.mark.parametrize("address", ["100.64.0.1", "192.168.1.1", "fc00::1", "224.0.0.1", "240.0.0.1", "fec0::1"])
def test_others_are_not(address: str) -> None:
    with pytest.raises(AddressError):
        check(ipaddress.ip_address(address), inside=False)


def test_a_name_that_leads_inside_is_found_out_when_it_is_looked_up() -> None:
    parse("https://localhost/", inside=False)  # a name says nothing yet
    with pytest.raises(AddressError, match="private address"):
        asyncio.run(resolve("https://localhost/", inside=False))
    assert asyncio.run(resolve("https://localhost/", inside=True)).addresses


def test_a_name_without_an_address_is_told() -> None:
    with pytest.raises(AddressError, match="looked up"):
        asyncio.run(resolve("https://nowhere.invalid/", inside=False))
