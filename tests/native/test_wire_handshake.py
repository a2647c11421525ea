"""The answer to the handshake of the native WebSocket client: what is accepted, what is refused."""

from __future__ import annotations

import pytest
from tests.native.wire_client import (
    URL,
    needs_native,
)

from krakenwire.errors import HandshakeError, KrakenwireError

UPGRADED = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Accept": "key"}


def answer(status: str = "HTTP/1.1 101 Switching Protocols", **changed: str | None) -> bytes:
    headers = {**UPGRADED, **{name.replace("_", "-"): value for name, value in changed.items()}}
    lines = [f"{name}: {value}" for name, value in headers.items() if value is not None]
    return "".join(f"{line}\r\n" for line in (status, *lines, "")).encode()


@needs_native
@pytest.mark.parametrize(
    "head",
    [
        answer(),
        answer("HTTP/1.1 101 "),
        answer("HTTP/1.1 101"),
        answer(Upgrade="WebSocket", Connection="keep-alive, UPGRADE"),
        answer(Server="x: y", Sec_WebSocket_Extensions=""),
        answer().replace(b": ", b":").replace(b"Upgrade:", b"UPGRADE:"),
    ],
    ids=["plain", "empty phrase", "no phrase", "other cases", "more headers", "no blanks"],
)
def test_an_answer_that_upgrades_is_accepted(head: bytes) -> None:
    from krakenwire.client.native_wire import check_answer

    check_answer(URL, head, b"key")


REFUSED = {
    "no HTTP": (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", ValueError),
    "nothing": (b"\r\n\r\n", ValueError),
    "another major version": (answer("HTTP/2.0 101 X"), ValueError),
    "a status of two digits": (answer("HTTP/1.1 10 X"), ValueError),
    "a status of four digits": (answer("HTTP/1.1 1010 X"), ValueError),
    "not found": (answer("HTTP/1.1 404 Not Found"), HandshakeError),
    "a proxy of the last century": (answer("HTTP/1.0 502 Bad Gateway"), HandshakeError),
    "a status of no registry": (answer("HTTP/1.1 520 ?"), HandshakeError),
    "a redirect": (answer("HTTP/1.1 302 Found", Location="ws://127.0.0.1/"), HandshakeError),
    "no upgrade": (answer(Upgrade=None), ValueError),
    "an upgrade to something else": (answer(Upgrade="h2c"), ValueError),
    "an upgrade to several": (answer(Upgrade="websocket, h2c"), ValueError),
    "no connection": (answer(Connection=None), ValueError),
    "a connection to be closed": (answer(Connection="close"), ValueError),
    "no key": (answer(Sec_WebSocket_Accept=None), ValueError),
    "another key": (answer(Sec_WebSocket_Accept="kez"), ValueError),
    "two keys": (answer().replace(b"\r\n\r\n", b"\r\nSec-WebSocket-Accept: key\r\n\r\n"), ValueError),
    "an extension": (answer(Sec_WebSocket_Extensions="permessage-deflate"), ValueError),
    "a protocol": (answer(Sec_WebSocket_Protocol="chat"), ValueError),
    "a body in pieces": (answer(Transfer_Encoding="chunked"), ValueError),
    "a line that is no header": (answer().replace(b"\r\n\r\n", b"\r\nnonsense\r\n\r\n"), ValueError),
    "a folded header": (answer().replace(b"\r\n\r\n", b"\r\n more: x\r\n\r\n"), ValueError),
}


@needs_native
@pytest.mark.parametrize("name", REFUSED)
def test_any_other_answer_is_refused(name: str) -> None:
    from krakenwire.client.native_wire import check_answer

    head, error = REFUSED[name]
    with pytest.raises(error) as caught:
        check_answer(URL, head, b"key")
    assert isinstance(caught.value, KrakenwireError) == (error is HandshakeError)
