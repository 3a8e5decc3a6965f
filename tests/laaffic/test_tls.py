"""A TLS error before the request, and one after it may have left: over real sockets, by a certificate of our own."""

import contextlib
import datetime as dt
import socket
import ssl
import threading
from collections.abc import Iterator
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from requests import adapters

from laaffic_console.laaffic import LaafficClient, NotSent, OutcomeUnknown
from tests.laaffic.conftest import KEY, SECRET, TIMEOUTS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With its key, for 127.0.0.1, signed by itself."""
    key, now = ec.generate_private_key(ec.SECP256R1()), dt.datetime.now(dt.UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "gateway")])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    no_password = serialization.NoEncryption()
    kept = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, no_password)
    path = tmp_path_factory.mktemp("tls") / "gateway.pem"
    path.write_bytes(kept + made.public_bytes(serialization.Encoding.PEM))
    return path


@contextlib.contextmanager
def answering_in_plain_text(certificate: Path, taken: list[bytes]) -> Iterator[int]:
    """It reads the request, and what stands behind it writes past the encryption, as a balancer may."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with (
            contextlib.suppress(OSError),
            listener.accept()[0] as connection,
            connection.dup() as plain,
            context.wrap_socket(connection, server_side=True) as encrypted,
        ):
            taken.append(encrypted.recv(65536))
            plain.sendall(b"HTTP/1.1 502 Bad Gateway\r\n\r\n")
            plain.shutdown(socket.SHUT_RDWR)

    server = threading.Thread(target=serve, daemon=True)
    server.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.close()
        server.join(5)


def send(port: int) -> None:
    address = f"https://127.0.0.1:{port}/v3"
    client = LaafficClient(api_key=KEY, api_secret=SECRET, base_url=address, timeouts=TIMEOUTS)
    client.send_sms(app_id="4luaKsL2", numbers=["91856321412"], content="Hello", order_ids=["o1"])


def test_an_error_after_the_request_is_no_handshake(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapters, "DEFAULT_CA_BUNDLE_PATH", str(certificate))
    taken: list[bytes] = []

    with answering_in_plain_text(certificate, taken) as port, pytest.raises(OutcomeUnknown, match="broke before"):
        send(port)

    assert taken[0].startswith(b"POST ")


def test_a_certificate_that_nobody_trusts_lets_nothing_leave(certificate: Path) -> None:
    taken: list[bytes] = []

    with answering_in_plain_text(certificate, taken) as port, pytest.raises(NotSent, match="TLS handshake failed"):
        send(port)

    assert taken in ([], [b""])
