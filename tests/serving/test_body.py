"""What bodies may be, and that whatever they are is answered with a problem that says so."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from tests.support.service import Api, assessment

PATHS = ("/v1/events", "/v1/assessments", "/v1/assessments/batch")
LIMIT = 1024 * 1024


def problem(response: object, status: int) -> None:
    assert response.status_code == status, response.text  # type: ignore[attr-defined]
    assert response.headers["content-type"] == "application/problem+json"  # type: ignore[attr-defined]
    body = response.json()  # type: ignore[attr-defined]
    assert {"type", "title", "status", "detail"} <= set(body)
    assert body["status"] == status
    assert "Traceback" not in response.text  # type: ignore[attr-defined]


@pytest.mark.parametrize("path", PATHS)
class TestBadBodies:
    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"{",
            b"nonsense",
            b"{'a': 1}",
            b'{"a": 1,}',
            b'\xff\xfe{"a": 1}',
            b'{"events": "\xff"}',
            b'{"return_id": "\\ud800"}',
            b"[" * 100_000,
            b'{"a":' * 100_000,
            b'{"a": ' + b"9" * 10_000 + b"}",
        ],
        ids=lambda content: repr(content[:20]),
    )
    def test_malformed(self, api: Api, path: str, content: bytes) -> None:
        problem(api.post(path, content), 400)

    @pytest.mark.parametrize("content", [b"[]", b"1", b'"text"', b"null", b"{}", b"NaN", b'{"events": {}}'])
    def test_not_what_is_expected(self, api: Api, path: str, content: bytes) -> None:
        problem(api.post(path, content), 422)

    @pytest.mark.parametrize("media", ["text/plain", "application/xml", "", "application/jsonx", "multipart/form-data"])
    def test_media_type(self, api: Api, path: str, media: str) -> None:
        problem(api.post(path, b"{}", **{"Content-Type": media}), 415)

    def test_media_type_with_charset(self, api: Api, path: str) -> None:
        problem(api.post(path, b"{}", **{"Content-Type": "application/json; charset=utf-8"}), 422)

    def test_content_encoding(self, api: Api, path: str) -> None:
        problem(api.post(path, b"{}", **{"Content-Encoding": "gzip"}), 415)

    def test_too_large(self, api: Api, path: str) -> None:
        problem(api.post(path, b" " * (LIMIT + 1)), 413)
        problem(api.post(path, b" " * LIMIT), 400)

    def test_too_large_without_a_declared_length(self, api: Api, path: str) -> None:
        def parts() -> Iterator[bytes]:
            for _ in range(40):
                yield b" " * 100_000

        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {api.key}"}
        problem(api.client.post(path, content=parts(), headers=headers), 413)


class TestTooLarge:
    def head(self, api: Api, *lines: str) -> bytes:
        start = ["POST /v1/events HTTP/1.1", "Host: x", f"Authorization: Bearer {api.key}", *lines]
        return "\r\n".join([*start, "Content-Type: application/json", "", ""]).encode()

    def connect(self, api: Api) -> socket.socket:
        place = urlsplit(str(api.client.base_url))
        return socket.create_connection((place.hostname, place.port), timeout=10)

    def test_is_found_from_the_declared_length_before_anything_is_sent(self, api: Api) -> None:
        with self.connect(api) as connection:
            connection.sendall(self.head(api, "Content-Length: 99999999999"))
            response = http.client.HTTPResponse(connection)
            response.begin()
            assert response.status == 413
            response.read()

    def test_is_found_while_it_arrives(self, api: Api) -> None:
        with self.connect(api) as connection:
            connection.sendall(self.head(api, "Transfer-Encoding: chunked"))
            for _ in range(9):  # the body never ends
                connection.sendall(b"20000\r\n" + b" " * 0x20000 + b"\r\n")
            response = http.client.HTTPResponse(connection)
            response.begin()
            assert response.status == 413
            assert b"at most 1048576 bytes" in response.read()

    @pytest.mark.parametrize("length", [2_000_000, 12_000_000])
    def test_who_sends_everything_first_still_gets_the_answer(self, api: Api, length: int) -> None:
        with self.connect(api) as connection:
            connection.sendall(self.head(api, f"Content-Length: {length}"))
            connection.sendall(b" " * length)
            response = http.client.HTTPResponse(connection)
            response.begin()
            assert response.status == 413
            assert b"at most 1048576 bytes" in response.read()

    def test_who_waits_to_be_asked_is_not_asked(self, api: Api) -> None:
        with self.connect(api) as connection:
            connection.sendall(self.head(api, "Content-Length: 5000000", "Expect: 100-continue"))
            assert connection.recv(100).startswith(b"HTTP/1.1 413")

    def test_the_service_goes_on(self, api: Api) -> None:
        with self.connect(api) as connection:  # and hangs up in the middle
            connection.sendall(self.head(api, "Content-Length: 1000") + b"{")
        assert api.assess(assessment()).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/v1", 404),
        ("POST", "/v1/nothing", 404),
        ("POST", "/v1/events/", 404),
        ("GET", "/healthz/", 404),
        ("GET", "/v1/events", 405),
        ("DELETE", "/v1/assessments", 405),
        ("PUT", "/v1/assessments/x", 405),
        ("POST", "/healthz", 405),
        ("GET", "/v1/assessments/a%00b", 404),
        ("GET", "/v1/assessments/%ff", 404),
        ("GET", "/v1/assessments/" + "x" * 20_000, 404),
    ],
)
def test_addresses(api: Api, method: str, path: str, status: int) -> None:
    headers = {"Authorization": f"Bearer {api.key}"}
    response = api.client.request(method, path, headers=headers)
    problem(response, status)
    if status == 405:
        assert response.headers["allow"]
