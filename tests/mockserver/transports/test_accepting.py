"""Connections as they come in."""

import asyncio
import socket

from safelight.mockserver.transports.accepting import Acceptor


def _gone() -> asyncio.Protocol:
    raise ConnectionResetError


async def _first_bytes(bound: socket.socket) -> bytes:
    acceptor = Acceptor(bound, _gone)
    try:
        reader, writer = await asyncio.open_connection(*bound.getsockname())
        try:
            return await reader.read()
        finally:
            writer.close()
    finally:
        acceptor.close()


def test_a_connection_that_has_left_before_it_is_served_is_closed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as bound:
        assert asyncio.run(_first_bytes(bound)) == b""
