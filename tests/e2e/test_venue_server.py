"""The local Kraken over real sockets: many clients, bad clients, slow clients, and a clean end."""

from __future__ import annotations

import asyncio
import errno
import http.client
import json
import socket
import ssl
import threading
import urllib.error
import urllib.request
from collections.abc import Generator, Iterator
from contextlib import closing
from itertools import count, islice
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import trustme
import websocket
from tests.threads import left_since, running

from krakenwire.apps.local_venue import LocalVenue
from krakenwire.apps.served_venue import ServedVenue
from krakenwire.errors import ConfigError, InternalError, UsageError
from krakenwire.limits import REQUEST_BYTES_MAX, VENUE_MESSAGE_BYTES_MAX
from krakenwire.model import BookUpdate, ChecksumFailed, Event, Subscription
from krakenwire.protocol import v1, v2
from krakenwire.server import Clock, VenueServer
from krakenwire.session.feed import Feed
from krakenwire.testing import local_kraken
from krakenwire.venue import VenueConfig

SYMBOLS = ["BTC/USD", "ETH/USD"]
SECOND = 1_000_000_000
BOOK = {
    1: '{"event":"subscribe","pair":["XBT/USD"],"subscription":{"name":"book"}}',
    2: '{"method":"subscribe","params":{"channel":"book","symbol":["BTC/USD"]}}',
}
MALFORMED = {1: '{"errorMessage":"Malformed request","event":"error"}', 2: "Malformed request"}


@pytest.fixture(scope="module")
def venue() -> Iterator[LocalVenue]:
    with local_kraken(symbols=SYMBOLS, rate=100) as running:
        yield running


def connect(url: str, **options: Any) -> websocket.WebSocket:
    return websocket.create_connection(url, timeout=10, **options)


def receive_until(ws: websocket.WebSocket, *words: str, frames: int = 2_000) -> str:
    for _ in range(frames):
        text = ws.recv()
        if all(word in text for word in words):
            return str(text)
    raise AssertionError(f"no frame with {words}")


def subscribe_v2(channel: str, *symbols: str, **params: Any) -> str:
    return json.dumps({"method": "subscribe", "params": {"channel": channel, "symbol": symbols, **params}})


def get(url: str, data: bytes | None = None, content_type: str = "application/x-www-form-urlencoded") -> Any:
    request = urllib.request.Request(url, data=data, headers={"Content-Type": content_type} if data else {})
    with urllib.request.urlopen(request, timeout=10) as reply:
        return json.loads(reply.read())


# -- addresses ---------------------------------------------------------------


@pytest.mark.parametrize(("path", "word"), [("", "systemStatus"), ("/", "systemStatus"), ("/v2", '"channel":"status"')])
def test_the_path_chooses_the_version(venue: LocalVenue, path: str, word: str) -> None:
    ws = connect(f"ws://127.0.0.1:{venue.port}{path}")
    assert word in ws.recv()
    ws.close()


def test_an_unknown_path_is_http_404(venue: LocalVenue) -> None:
    with pytest.raises(websocket.WebSocketBadStatusException) as caught:
        connect(f"ws://127.0.0.1:{venue.port}/v3")
    assert caught.value.status_code == 404


def test_a_browser_is_told_what_this_is(venue: LocalVenue) -> None:
    with urllib.request.urlopen(venue.rest, timeout=10) as reply:
        assert b"It is not Kraken" in reply.read()


def test_any_origin_is_welcome_and_nothing_is_compressed(venue: LocalVenue) -> None:
    extensions = {"Sec-WebSocket-Extensions": "permessage-deflate"}
    ws = connect(venue.ws_v2, origin="https://example.org", header=extensions)
    assert "sec-websocket-extensions" not in ws.getheaders()
    ws.close()


@pytest.mark.parametrize(("offered", "chosen"), [(["v1"], "v1"), (["json", "v1"], "json"), ([], None)])
@pytest.mark.parametrize("path", ["/", "/v2"])
def test_the_first_subprotocol_that_a_client_offers_is_agreed_to(
    venue: LocalVenue, path: str, offered: list[str], chosen: str | None
) -> None:
    ws = connect(f"ws://127.0.0.1:{venue.port}{path}", subprotocols=offered)
    assert ws.getsubprotocol() == chosen
    ws.close()


def test_rest_answers_get_form_and_json_alike(venue: LocalVenue) -> None:
    url = f"{venue.rest}/0/public/AssetPairs"
    answers = [
        get(f"{url}?pair=XBTUSD"),
        get(url, b"pair=XBTUSD"),
        get(url, b'{"pair":"XBTUSD"}', "application/json"),
    ]
    assert [list(answer["result"]) for answer in answers] == [["XXBTZUSD"]] * 3


@pytest.mark.parametrize("body", ["pair=XBTUSD&count=3", '{"pair":"XBTUSD","count":3}'])
def test_rest_reads_a_body_whose_type_is_not_said(venue: LocalVenue, body: str) -> None:
    wire = http.client.HTTPConnection("127.0.0.1", venue.port, timeout=10)
    wire.putrequest("POST", "/0/public/Depth")
    wire.putheader("Content-Length", str(len(body)))
    wire.endheaders(body.encode())
    book = json.loads(wire.getresponse().read())["result"]["XXBTZUSD"]
    wire.close()
    assert [len(book["asks"]), len(book["bids"])] == [3, 3]


@pytest.mark.parametrize(
    ("path", "data", "content_type", "error"),
    [
        ("/0/public/Nope", None, "", "EGeneral:Unknown method"),
        ("/0/nope", None, "", "EGeneral:Unknown method"),
        ("/0/private/Balance", b"nonce=1", "application/x-www-form-urlencoded", "EAPI:Invalid key"),
        ("/0/public/Depth", b"{", "application/json", "EGeneral:Invalid arguments"),
        ("/0/public/Depth", b"[1]", "application/json", "EGeneral:Invalid arguments"),
        ("/0/public/Depth", b"\xff\xfe", "application/json", "EGeneral:Invalid arguments"),
        ("/0/public/Depth?pair=%00%ff", None, "", "EQuery:Unknown asset pair"),
    ],
)
def test_rest_mistakes_are_http_200_with_an_error_text(
    venue: LocalVenue, path: str, data: bytes | None, content_type: str, error: str
) -> None:
    assert get(venue.rest + path, data, content_type) == {"error": [error]}


# -- bad clients ---------------------------------------------------------------


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "hello",
        "{",
        "[]",
        "null",
        "1e999",
        '"' + "x" * 1000,
        "[" * 10_000,
        '{"a":' * 10_000,
        "y" * (REQUEST_BYTES_MAX + 1),
    ],
    ids=lambda frame: f"{frame[:6]} {len(frame)}",
)
@pytest.mark.parametrize("version", [1, 2])
def test_garbage_gets_the_documented_error_and_the_connection_lives(
    venue: LocalVenue, version: int, frame: str
) -> None:
    ws = connect(venue.ws_v1 if version == 1 else venue.ws_v2)
    ws.recv()
    ws.send(frame)
    answer = ws.recv()
    assert "error" in answer
    ws.send('{"event":"ping"}' if version == 1 else '{"method":"ping"}')
    assert "pong" in ws.recv()
    ws.close()


@pytest.mark.parametrize("version", [1, 2])
def test_binary_frames_are_read_as_text_if_they_are_text(venue: LocalVenue, version: int) -> None:
    ws = connect(venue.ws_v1 if version == 1 else venue.ws_v2)
    ws.recv()
    ws.send_binary(b'{"event":"ping"}' if version == 1 else b'{"method":"ping"}')
    assert "pong" in ws.recv()
    ws.send_binary(b"\xff\xfe\x00")
    assert MALFORMED[version] in ws.recv()
    ws.close()


def test_a_frame_of_absurd_size_ends_the_connection_with_a_close_code(venue: LocalVenue) -> None:
    ws = connect(venue.ws_v2)
    ws.recv()
    header = bytes([0x81, 0xFF]) + (VENUE_MESSAGE_BYTES_MAX + 1).to_bytes(8, "big") + b"\0\0\0\0"
    ws.sock.sendall(header)
    opcode, data = ws.recv_data()
    assert opcode == websocket.ABNF.OPCODE_CLOSE
    assert int.from_bytes(data[:2], "big") == 1009
    ws.shutdown()


@pytest.mark.parametrize(
    "raw",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 99\r\n\r\n",
        b"\0" * 100_000,
        b"GET /" + b"a" * 100_000,
    ],
)
def test_garbage_instead_of_a_handshake_hurts_nobody(venue: LocalVenue, raw: bytes) -> None:
    with socket.create_connection(("127.0.0.1", venue.port), timeout=10) as client:
        try:
            client.sendall(raw)
            client.shutdown(socket.SHUT_WR)
            while client.recv(65536):
                pass
        except OSError as end:
            # A server that closes before it has read everything resets the connection: an end too, unlike silence.
            if end.errno not in {errno.ECONNRESET, errno.EPIPE, errno.ENOTCONN}:
                raise
    assert get(f"{venue.rest}/0/public/Time")["error"] == []


def test_a_half_frame_and_a_vanished_client_hurt_nobody(venue: LocalVenue) -> None:
    ws = connect(venue.ws_v2)
    ws.recv()
    ws.sock.sendall(b"\x81\xfe")
    ws.shutdown()
    other = connect(venue.ws_v2)
    other.recv()
    other.send('{"method":"ping","req_id":9}')
    assert '"req_id":9' in other.recv()
    other.close()


def test_protocol_pings_are_answered(venue: LocalVenue) -> None:
    ws = connect(venue.ws_v1)
    ws.recv()
    ws.ping("are you there")
    opcode, data = ws.recv_data(control_frame=True)
    assert (opcode, data) == (websocket.ABNF.OPCODE_PONG, b"are you there")
    ws.close()


# -- many clients, slow clients --------------------------------------------------


async def test_two_hundred_clients_at_once_all_receive(venue: LocalVenue) -> None:
    all_connected = asyncio.Barrier(200)

    async def follow(session: aiohttp.ClientSession, number: int) -> None:
        version, url = (2, venue.ws_v2) if number % 2 else (1, venue.ws_v1)
        async with session.ws_connect(url) as ws:
            await ws.send_str(BOOK[version])
            await all_connected.wait()
            updates = 0
            while updates < 20:
                text = await ws.receive_str()
                updates += '"type":"update","data":[{"symbol"' in text or '"c":"' in text

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session, asyncio.timeout(60):
        await asyncio.gather(*(follow(session, number) for number in range(200)))
    assert venue.dropped_clients == 0


def test_a_client_that_stops_reading_is_dropped_and_nobody_waits_for_it() -> None:
    with LocalVenue(symbols=["BTC/USD"], rate=200, backlog_bytes_max=64 * 1024) as venue:
        reader = connect(venue.ws_v2)
        stalled = connect(venue.ws_v2, sockopt=[(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)])
        for ws in (stalled, reader):
            ws.send(subscribe_v2("book", "BTC/USD", depth=1000))
        flood = threading.Thread(target=_ask_and_never_read, args=(stalled,))
        flood.start()
        beats = 0
        while venue.dropped_clients == 0:
            beats += "heartbeat" in receive_until(reader, "channel")
            assert beats < 30, "the stalled client was not dropped"
        assert receive_until(reader, '"type":"update"')
        flood.join()
        assert venue.clients == 1
        stalled.shutdown()
        reader.close()


def _ask_and_never_read(ws: websocket.WebSocket) -> None:
    try:
        for _ in range(5_000):
            ws.send('{"method":"subscribe","params":{"channel":"instrument"}}')
            ws.send('{"method":"unsubscribe","params":{"channel":"instrument"}}')
    except (OSError, websocket.WebSocketException):
        return


def test_more_clients_than_allowed_get_http_503() -> None:
    with LocalVenue(symbols=["BTC/USD"], connections_max=2) as venue:
        first, second = connect(venue.ws_v1), connect(venue.ws_v2)
        with pytest.raises(websocket.WebSocketBadStatusException) as caught:
            connect(venue.ws_v2)
        assert caught.value.status_code == 503
        first.close()
        second.close()


async def test_an_idle_client_is_closed_politely_after_a_minute() -> None:
    class Leaping(Clock):
        leap_ns = 0

        def line_ns(self) -> int:
            return super().line_ns() + self.leap_ns

    clock = Leaping()
    server = VenueServer(ServedVenue(VenueConfig(symbols=["BTC/USD"], start_ns=clock.now_ns())), clock)
    await server.start()
    async with aiohttp.ClientSession() as session, asyncio.timeout(20):
        idle = await session.ws_connect(f"ws://127.0.0.1:{server.port}/v2")
        busy = await session.ws_connect(f"ws://127.0.0.1:{server.port}/v2")
        await busy.send_str(subscribe_v2("ticker", "BTC/USD"))
        await idle.receive()
        while "snapshot" not in (await busy.receive_str()):
            pass
        clock.leap_ns = 61 * SECOND
        assert (await idle.receive()).type is aiohttp.WSMsgType.CLOSE
        assert idle.close_code == 1000
        while "heartbeat" not in (await busy.receive_str()):
            pass
        await busy.close()
    await server.stop()


# -- faults ------------------------------------------------------------------


def follow_book(venue: LocalVenue, version: int) -> Generator[Event, None, None]:
    """Events of BTC/USD's book as krakenwire's own books judge them."""
    codec = {1: v1.ClientCodec, 2: v2.ClientCodec}[version]()
    feed = Feed(codec)
    ws = connect(venue.ws_v1 if version == 1 else venue.ws_v2)
    try:
        for request in codec.subscribe([Subscription(channel="book", symbol="BTC/USD", depth=10)], count(1)):
            ws.send(request.frame)
        while True:
            yield from feed.feed(ws.recv())
    finally:
        ws.close()


@pytest.mark.parametrize("version", [1, 2])
def test_books_are_right_until_a_checksum_is_spoiled(version: int) -> None:
    with local_kraken(symbols=SYMBOLS, rate=100) as venue, closing(follow_book(venue, version)) as events:
        seen = list(islice((event for event in events if isinstance(event, BookUpdate) and event.kind == "update"), 20))
        assert all(update.verified for update in seen)
        venue.corrupt_checksums()
        failed = next(event for event in events if isinstance(event, ChecksumFailed))
        assert failed.expected == (failed.found + 1) % (1 << 32)


@pytest.mark.parametrize("version", [1, 2])
def test_a_swallowed_update_is_noticed_by_the_next_checksum(version: int) -> None:
    with local_kraken(symbols=SYMBOLS, rate=100) as venue, closing(follow_book(venue, version)) as events:
        for event in islice(events, 500):
            if isinstance(event, ChecksumFailed):
                break
            if isinstance(event, BookUpdate):
                venue.drop_updates()  # again and again: the next update of the same level may heal what was lost
        else:
            raise AssertionError("no loss was noticed")


def test_a_cut_ends_every_connection_and_new_ones_are_welcome(venue: LocalVenue) -> None:
    ws = connect(venue.ws_v2)
    venue.cut_connections()
    with pytest.raises((OSError, websocket.WebSocketConnectionClosedException)):
        receive_until(ws, "never")
    ws.shutdown()
    again = connect(venue.ws_v2)
    assert "status" in again.recv()
    again.close()


def test_a_status_change_reaches_everyone_on_both_versions() -> None:
    with local_kraken(symbols=["BTC/USD"]) as venue:
        v1, v2 = connect(venue.ws_v1), connect(venue.ws_v2)
        v1.recv(), v2.recv()
        venue.set_status("maintenance")
        assert '"status":"maintenance"' in v1.recv()
        assert '"system":"maintenance"' in v2.recv()
        assert get(f"{venue.rest}/0/public/SystemStatus")["result"]["status"] == "maintenance"
        with pytest.raises(ConfigError, match="one of online"):
            venue.set_status("asleep")
        v1.close(), v2.close()


def test_a_stall_is_silence_and_then_life_goes_on() -> None:
    with local_kraken(symbols=["BTC/USD"]) as venue:
        ws = connect(venue.ws_v2)
        ws.recv()
        venue.stall(0.5)
        ws.send('{"method":"ping"}')
        ws.settimeout(0.1)
        with pytest.raises(websocket.WebSocketTimeoutException):
            ws.recv()
        ws.settimeout(10)
        assert "pong" in ws.recv()
        ws.close()


# -- start and end -------------------------------------------------------------


def test_the_end_is_clean_said_to_clients_and_leaves_no_thread() -> None:
    threads = running()
    with local_kraken(symbols=["BTC/USD"]) as venue:
        port = venue.port
        ws = connect(venue.ws_v2)
        ws.send(subscribe_v2("book", "BTC/USD"))
        ws.recv()
        venue.stop()
        while (received := ws.recv_data())[0] == websocket.ABNF.OPCODE_TEXT:
            pass
        assert received[0] == websocket.ABNF.OPCODE_CLOSE
        assert int.from_bytes(received[1][:2], "big") == 1001
        ws.shutdown()
    assert not left_since(threads)
    with socket.socket() as free:
        free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        free.bind(("127.0.0.1", port))


def test_a_venue_can_be_started_again_on_the_port_it_had() -> None:
    with LocalVenue(symbols=["BTC/USD"]) as first:
        port = first.port
    with LocalVenue(symbols=["BTC/USD"], port=port) as second:
        assert second.port == port


def test_a_port_in_use_is_one_clear_error(venue: LocalVenue) -> None:
    with pytest.raises(ConfigError, match="Another program listens there"):
        LocalVenue(symbols=["BTC/USD"], port=venue.port).start()


def test_a_venue_that_is_not_running_says_so() -> None:
    venue = LocalVenue(symbols=["BTC/USD"])
    with pytest.raises(UsageError, match="not running"):
        _ = venue.ws_v1
    venue.stop()


def test_a_venue_that_breaks_says_so_when_it_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    venue = LocalVenue(symbols=["BTC/USD"]).start()

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    thread = venue._thread
    monkeypatch.setattr(venue._running.driver, "step", broken)
    assert thread is not None
    thread.join(timeout=10)
    with pytest.raises(InternalError, match="broke") as caught:
        venue.stop()
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_starting_twice_is_refused(venue: LocalVenue) -> None:
    with pytest.raises(UsageError, match="runs already"):
        venue.start()


def test_tls_is_served_with_the_given_certificate(tmp_path: Path) -> None:
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1", "localhost")
    certificate.private_key_pem.write_to_path(tmp_path / "key.pem")
    certificate.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    with local_kraken(
        symbols=["BTC/USD"], tls_cert=str(tmp_path / "cert.pem"), tls_key=str(tmp_path / "key.pem")
    ) as venue:
        assert venue.ws_v2.startswith("wss://")
        assert venue.rest.startswith("https://")
        ws = connect(venue.ws_v2, sslopt={"ca_certs": str(tmp_path / "ca.pem")})
        assert "status" in ws.recv()
        ws.close()
        with pytest.raises(ssl.SSLCertVerificationError):
            connect(venue.ws_v2)


def test_the_same_seed_gives_the_same_market_and_another_seed_another() -> None:
    def levels(seed: int) -> set[tuple[str, str]]:
        with local_kraken(symbols=["BTC/USD"], seed=seed, rate=0.1) as venue:
            sides = get(f"{venue.rest}/0/public/Depth?pair=XBTUSD&count=500")["result"]["XXBTZUSD"]
            return {(price, qty) for side in sides.values() for price, qty, _ in side}

    first, again, other = levels(5), levels(5), levels(6)
    # The market lives while it is asked: a trader may have acted, which changes a few levels.
    assert len(first & again) > 980
    assert len(first & other) < 500
