from __future__ import annotations

import asyncio
import ssl
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from standardwebhooks import WebhookVerificationError

from serving.hooks import attempt as module
from serving.hooks.attempt import Outcome, attempt, new_client
from serving.hooks.service import new_secret
from tests.support.receiver import Received, Receiver

BODY = '{"type":"case.opened","data":{"name":"é"}}'
PLAIN = ssl.create_default_context()


def send(url: str, *secrets: str, inside: bool = True, trusted: ssl.SSLContext = PLAIN) -> Outcome:
    async def once() -> Outcome:
        async with new_client(trusted) as client:
            return await attempt(client, url, "msg_1", BODY, secrets or [new_secret()], inside=inside)

    return asyncio.run(once())


def test_what_arrives_is_signed_and_byte_for_byte_what_was_written(receiving: Receiver) -> None:
    secret = new_secret()
    assert send(receiving.url, secret) == Outcome(204)
    (received,) = receiving.received
    assert received.body == BODY.encode()
    assert received.check(secret)["data"] == {"name": "é"}
    assert received.headers["content-type"] == "application/json"
    assert received.headers["host"] == receiving.url.split("/")[2]
    assert set(received.headers) >= {"webhook-id", "webhook-timestamp", "webhook-signature", "user-agent"}
    with pytest.raises(WebhookVerificationError):
        received.check(new_secret())
    received.body += b" "
    with pytest.raises(WebhookVerificationError):
        received.check(secret)


def test_two_secrets_sign_while_one_replaces_the_other(receiving: Receiver) -> None:
    secrets = new_secret(), new_secret()
    send(receiving.url, *secrets)
    (received,) = receiving.received
    assert len(received.headers["webhook-signature"].split()) == 2
    for secret in secrets:
        received.check(secret)


@pytest.mark.parametrize("status", [200, 201, 299])
def test_every_2xx_is_a_success(receiving: Receiver, status: int) -> None:
    receiving.answer = lambda _: status
    assert send(receiving.url) == Outcome(status)


@pytest.mark.parametrize("status", [400, 401, 404, 410, 429, 500, 503])
def test_everything_else_is_not(receiving: Receiver, status: int) -> None:
    receiving.answer = lambda _: status
    assert send(receiving.url) == Outcome(status, f"answered {status}")


def test_redirects_are_not_followed(receiving: Receiver) -> None:
    receiving.answer = lambda _: (307, {"Location": receiving.url})
    assert send(receiving.url) == Outcome(307, "answered 307")
    assert len(receiving.received) == 1


@pytest.mark.parametrize(
    ("value", "least", "most"),
    [
        (lambda: "120", 120, 120),
        (lambda: format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True), 85, 91),
        (lambda: "Wed, 21 Oct 2015 07:28:00 GMT", 0, 0),
    ],
)
def test_what_the_receiver_asks_for_is_read(
    receiving: Receiver, value: Callable[[], str], least: float, most: float
) -> None:
    receiving.answer = lambda _: (503, {"Retry-After": value()})
    asked = send(receiving.url).asked_s
    assert asked is not None
    assert least <= asked <= most


@pytest.mark.parametrize("value", ["soon", "-1", "1e9", "９"])
def test_nonsense_is_not(receiving: Receiver, value: str) -> None:
    receiving.answer = lambda _: (503, {"Retry-After": value.encode().decode("latin-1")})
    assert send(receiving.url).asked_s is None


def test_a_receiver_that_hangs_is_left(receiving: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_TOTAL_S", 0.2)
    receiving.answer = lambda _: time.sleep(0.6) or 204  # type: ignore[func-returns-value]
    assert send(receiving.url) == Outcome(trouble="no answer within 0.2 seconds")


def test_nobody_at_the_address_is_told(receiving: Receiver) -> None:
    assert (send("http://127.0.0.1:9/").trouble or "").startswith("could not connect")


def test_an_address_inside_is_not_even_tried(receiving: Receiver) -> None:
    outcome = send(receiving.url, inside=False)
    assert outcome.trouble is not None
    assert outcome.status is None
    assert receiving.received == []


def test_a_long_answer_is_not_read(receiving: Receiver) -> None:
    def answer(_: Received) -> tuple[int, dict[str, str]]:
        return 200, {"Content-Length": str(10**12)}

    receiving.answer = answer
    began = time.monotonic()
    assert send(receiving.url) == Outcome(200)
    assert time.monotonic() - began < 5


class TestTls:
    @pytest.fixture
    def certificate(self, tmp_path: Path) -> Path:
        """For `localhost`, and for no IP address."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
        made = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(1)
            .not_valid_before(datetime.now(UTC) - timedelta(days=1))
            .not_valid_after(datetime.now(UTC) + timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        file = tmp_path / "certificate.pem"
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + made.public_bytes(serialization.Encoding.PEM)
        )
        return file

    @pytest.fixture
    def port(self, certificate: Path) -> int:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["content-length"]))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *arguments: object) -> None:
                pass

        server = HTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)

        def serve() -> None:
            server.handle_request()
            server.server_close()

        threading.Thread(target=serve, daemon=True).start()
        return int(server.server_address[1])

    def test_the_certificate_is_checked_for_the_name_although_the_address_was_pinned(
        self, certificate: Path, port: int
    ) -> None:
        trusted = ssl.create_default_context(cafile=str(certificate))
        assert send(f"https://localhost:{port}/", trusted=trusted) == Outcome(200)

    def test_a_certificate_of_another_name_is_refused(self, certificate: Path, port: int) -> None:
        trusted = ssl.create_default_context(cafile=str(certificate))
        assert send(f"https://127.0.0.1:{port}/", trusted=trusted).status is None

    def test_a_certificate_that_nobody_vouches_for_is_refused(self, port: int) -> None:
        assert send(f"https://localhost:{port}/", trusted=httpx.create_ssl_context()).status is None
