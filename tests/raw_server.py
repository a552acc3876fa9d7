"""A server of raw bytes: what no library of HTTP would let a server say."""

import json
import re
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

#: Says what it likes to a request: its head and its body.
Saying = Callable[[socket.socket, bytes, bytes], None]

_LENGTH: Final = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


@dataclass
class RawServer:
    """What came."""

    url: str
    listening: socket.socket
    #: Head and body of each request.
    requests: list[tuple[bytes, bytes]] = field(default_factory=list)

    def close(self) -> None:
        """Take no connection any more."""
        with suppress(OSError):
            self.listening.shutdown(socket.SHUT_RDWR)
        self.listening.close()


@contextmanager
def raw_server(say: Saying) -> Iterator[RawServer]:
    """The server while the block runs. Each connection carries one request."""
    with socket.create_server(("127.0.0.1", 0), backlog=100) as listening:
        server = RawServer(f"http://127.0.0.1:{listening.getsockname()[1]}/v1/index.php", listening)
        threading.Thread(target=_serve, args=(server, say), daemon=True).start()
        try:
            yield server
        finally:
            server.close()


def _serve(server: RawServer, say: Saying) -> None:
    while True:
        try:
            connection, _ = server.listening.accept()
        except OSError:
            return
        threading.Thread(target=_one, args=(connection, server, say), daemon=True).start()


def _one(connection: socket.socket, server: RawServer, say: Saying) -> None:
    with connection, suppress(OSError):
        head, _, body = _until(connection, b"", lambda read: b"\r\n\r\n" in read).partition(b"\r\n\r\n")
        if not head:
            return
        length = _LENGTH.search(head)
        size = int(length[1]) if length else 0
        body = _until(connection, body, lambda read: len(read) >= size)
        server.requests.append((head, body))
        say(connection, head, body)


def _until(connection: socket.socket, read: bytes, is_enough: Callable[[bytes], bool]) -> bytes:
    while not is_enough(read):
        more = connection.recv(65_536)
        if not more:
            return b""
        read += more
    return read


def saying(answer: bytes) -> Saying:
    """It says these bytes, and closes."""
    return lambda connection, _head, _body: connection.sendall(answer)


def answer(document: Any, status: str = "200 OK", **headers: str) -> bytes:
    """A whole answer of JSON; bytes are sent as they are."""
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    more = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    start = f"HTTP/1.1 {status}\r\nconnection: close\r\ncontent-type: application/json\r\n"
    return f"{start}content-length: {len(body)}\r\n{more}\r\n".encode() + body


def envelope(data: Any = None, *, error: str = "") -> dict[str, Any]:
    """The published envelope."""
    return {"success": not error, "data": data, "error": {"message": error} if error else None}


def self_signed(folder: Path) -> ssl.SSLContext:
    """A server's side of TLS, with a certificate that nobody vouches for: `certificate.pem` in this folder."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    name = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"]
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", *name]
    subprocess.run([*made, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context
