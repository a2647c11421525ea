"""What can happen to a REST call on the wire: each end of it is one typed error that says what is known."""

from __future__ import annotations

import json
import logging
import random
import re
import ssl
import traceback
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest
import trustme
from tests.unit.client.peer import Loopback, Peer

from krakenwire import limits
from krakenwire.client import rest_wire
from krakenwire.client.credentials import Credentials
from krakenwire.client.rest import RestClient
from krakenwire.errors import (
    AnswerLost,
    ConfigError,
    ConnectError,
    DecodeError,
    FrameTooBig,
    HttpRefusal,
    KrakenwireError,
    StreamEnded,
    TlsError,
    UsageError,
    VenueRefusal,
    WaitTimeout,
)
from krakenwire.model import Added, AddOrder, OrderRefused, TradingReply

KEY, SECRET = "public text", "c2VzYW1lIG9wZW4gc2VzYW1l"
ORDER = AddOrder(
    symbol="BTC/USD", side="buy", order_type="limit", limit_price=Decimal(20_000), order_qty=Decimal("0.01")
)
PLACED = b'{"error":[],"result":{"descr":{"order":"buy"},"txid":["OAAAAA-BBBBB-CCCCCC"]}}'
HTML = b"<html><body>cloudflare</body></html>"


@pytest.fixture
def loopback() -> Iterator[Loopback]:
    servers = Loopback()
    yield servers
    servers.close()


Rest = Callable[..., RestClient]


@pytest.fixture
def rest(loopback: Loopback) -> Iterator[Rest]:
    """A client of a server that answers each call with some bytes; of any other conversation, if one is given."""
    made: list[RestClient] = []

    def make(answer: bytes = b"", talk: Callable[[Peer], object] | None = None, **settings: object) -> RestClient:
        async def answers(peer: Peer) -> None:
            while True:
                await call(peer)
                await peer.send(answer)

        port = loopback.serve(talk or answers)  # type: ignore[arg-type]  # conversations of any kind
        client = RestClient(f"http://127.0.0.1:{port}", Credentials("key", SECRET), **settings)  # type: ignore[arg-type]
        made.append(client)
        return client

    yield make
    for client in made:
        client.close()


async def call(peer: Peer) -> tuple[bytes, bytes]:
    """Read one call: its head and its body."""
    head = await peer.request()
    size = re.search(rb"Content-Length: (\d+)", head)
    return head, await peer.reader.readexactly(int(size[1])) if size else b""


def http(body: bytes, status: str = "200 OK", *more: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Content-Type: application/json", *more]
    return "\r\n".join([*lines, "", ""]).encode() + body


# -- what is sent ----------------------------------------------------------------


def test_a_private_call_carries_its_key_and_a_signed_body_and_nothing_of_the_environment(
    rest: Rest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    heard: list[tuple[bytes, bytes]] = []

    async def talk(peer: Peer) -> None:
        for _ in range(2):
            heard.append(await call(peer))
            await peer.send(http(b'{"error":[],"result":{"XXBT":"1.5"}}'))

    client = rest(talk=talk)
    assert client.balances() == client.balances() == {"BTC": Decimal("1.5")}
    (head, body), (_, later) = heard
    assert head.startswith(b"POST /0/private/Balance HTTP/1.1\r\n")
    assert b"\r\nAPI-Key: key\r\n" in head
    assert b"\r\nAPI-Sign: " in head
    assert b"\r\nUser-Agent: krakenwire/" in head
    assert b"Content-Type: application/x-www-form-urlencoded" in head
    assert int(body.removeprefix(b"nonce=")) < int(later.removeprefix(b"nonce="))


@pytest.mark.parametrize(
    ("ask", "result", "said"),
    [
        (lambda client: client.trades_history(), b'{"trades":{},"count":0}', b"consolidate_taker=false"),
        (
            lambda client: client.closed_orders(trades=True),
            b'{"closed":{},"count":0}',
            b"closetime=both&trades=true&consolidate_taker=false",
        ),
        (lambda client: client.closed_orders(), b'{"closed":{},"count":0}', b"closetime=both"),
        (
            lambda client: client.query_orders(["O1"], trades=True),
            b"{}",
            b"txid=O1&trades=true&consolidate_taker=false",
        ),
        (lambda client: client.query_orders(["O1"]), b"{}", b"txid=O1"),
    ],
)
def test_fills_are_asked_for_one_by_one_as_the_streams_tell_them(
    rest: Rest, ask: Callable[[RestClient], object], result: bytes, said: bytes
) -> None:
    bodies: list[bytes] = []

    async def talk(peer: Peer) -> None:
        bodies.append((await call(peer))[1])
        await peer.send(http(b'{"error":[],"result":' + result + b"}"))

    ask(rest(talk=talk))
    (body,) = bodies
    assert re.sub(rb"&?nonce=\d+&?", b"", body) == said


def test_a_public_call_carries_its_query_and_no_key(rest: Rest) -> None:
    heads: list[bytes] = []

    async def talk(peer: Peer) -> None:
        heads.append((await call(peer))[0])
        await peer.send(http(b'{"error":[],"result":{"price":1.10,"count":2}}'))

    found = rest(talk=talk).public("Depth", {"pair": "XBT/USD", "count": "2"}, dict[str, object])
    assert heads[0].startswith(b"GET /0/public/Depth?pair=XBT%2FUSD&count=2 HTTP/1.1\r\n")
    assert b"API-" not in heads[0]
    assert found == {"price": Decimal("1.10"), "count": 2}
    assert isinstance(found["price"], Decimal)


def test_connections_are_kept_and_renewed_when_the_server_ends_them(rest: Rest, loopback: Loopback) -> None:
    async def talk(peer: Peer) -> None:
        for connection in ("keep-alive", "close"):
            await call(peer)
            await peer.send(http(b'{"error":[],"result":{}}', "200 OK", f"Connection: {connection}"))

    client = rest(talk=talk)
    for _ in range(3):
        client.private("Balance", {}, dict)
    assert loopback.connections == 2


def test_a_connection_that_was_idle_for_long_is_not_used_again(
    rest: Rest, loopback: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = rest(http(b'{"error":[],"result":{}}'))
    client.private("Balance", {}, dict)
    client.private("Balance", {}, dict)
    assert loopback.connections == 1
    monkeypatch.setattr(limits, "REST_IDLE_S", 0.0)
    client.private("Balance", {}, dict)
    assert loopback.connections == 2


@pytest.mark.parametrize("method", ["", "Time/../../private/Balance", "Time?x", "Zeit über"])
def test_a_method_is_a_name(rest: Rest, loopback: Loopback, method: str) -> None:
    client = rest()
    for ask in (client.public, client.private):
        with pytest.raises(UsageError):
            ask(method, {}, dict)
    assert loopback.connections == 0


def test_a_private_call_needs_credentials(loopback: Loopback) -> None:
    client = RestClient("http://127.0.0.1:1")
    with pytest.raises(UsageError, match="KRAKEN_API_KEY"):
        client.balances()


def test_a_closed_client_calls_nobody(rest: Rest, loopback: Loopback) -> None:
    client = rest()
    with client:
        pass
    with pytest.raises(StreamEnded):
        client.balances()
    assert loopback.connections == 0


@pytest.mark.parametrize("timeout_s", [0, -1.0, float("nan")])
def test_there_is_always_a_time_limit(timeout_s: float) -> None:
    with pytest.raises(ConfigError):
        RestClient("http://127.0.0.1:1", timeout_s=timeout_s)


# -- nothing was sent ------------------------------------------------------------


def test_a_refused_connection_is_certain_to_have_sent_nothing() -> None:
    client = RestClient("http://127.0.0.1:1", Credentials("key", SECRET))
    with pytest.raises(
        ConnectError, match=r"http://127\.0\.0\.1:1: the connection was refused.*krakenwire venue"
    ) as caught:
        client.send_order(ORDER)
    assert caught.value.outcome_known


def test_a_name_without_an_address_is_certain_too() -> None:
    client = RestClient("https://kraken.invalid", Credentials("key", SECRET))
    with pytest.raises(ConnectError, match="resolved"):
        client.send_order(ORDER)


def test_a_server_that_does_not_speak_tls_is_told_apart(loopback: Loopback) -> None:
    async def talk(peer: Peer) -> None:
        await peer.reader.read(1)
        await peer.send(b"220 mail.example ESMTP\r\n")

    client = RestClient(f"https://localhost:{loopback.serve(talk)}", Credentials("key", SECRET))
    with pytest.raises(TlsError, match="http://"):
        client.send_order(ORDER)


def tls(tmp_path: Path) -> tuple[ssl.SSLContext, Path]:
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return context, path


def test_a_certificate_counts_only_with_its_authority(loopback: Loopback, tmp_path: Path) -> None:
    context, path = tls(tmp_path)

    async def talk(peer: Peer) -> None:
        await call(peer)
        await peer.send(http(PLACED))

    url = f"https://localhost:{loopback.serve(talk, context)}"
    with pytest.raises(TlsError, match="ca_file") as caught:
        RestClient(url, Credentials("key", SECRET)).send_order(ORDER)
    assert caught.value.outcome_known
    for settings in ({"ca_file": path}, {"insecure": True}):
        with RestClient(url, Credentials("key", SECRET), **settings) as client:  # type: ignore[arg-type]
            assert isinstance(client.send_order(ORDER).answer, Added)


def test_who_listens_in_between_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    RestClient("http://venue.example", Credentials("key", SECRET))
    assert "not encrypted" in caplog.text
    caplog.clear()
    RestClient("http://127.0.0.1:1", Credentials("key", SECRET))
    RestClient("https://venue.example", Credentials("key", SECRET))
    RestClient("http://venue.example")
    assert caplog.text == ""


def test_who_waits_for_a_turn_in_vain_has_sent_nothing(rest: Rest) -> None:
    client = rest(timeout_s=0.05)
    assert client._nonces is not None
    with client._nonces.turn(1), pytest.raises(WaitTimeout, match="not sent") as caught:
        client.send_order(ORDER)
    assert caught.value.outcome_known


# -- what came back --------------------------------------------------------------


@pytest.mark.parametrize(
    "status", ["301 Moved Permanently", "307 Temporary Redirect", "403 Forbidden", "404 Not Found"]
)
def test_what_http_turns_away_was_not_carried_out_and_is_sent_nowhere_else(
    rest: Rest, loopback: Loopback, status: str
) -> None:
    client = rest(http(HTML, status, "Location: http://127.0.0.1:1/elsewhere"))
    for act in (lambda: client.send_order(ORDER), client.balances):
        with pytest.raises(HttpRefusal) as caught:
            act()
        assert (caught.value.status, caught.value.outcome_known) == (int(status[:3]), True)
        assert not caught.value.retryable
    assert loopback.connections == 1


def test_too_many_calls_are_worth_another_try(rest: Rest) -> None:
    with pytest.raises(HttpRefusal) as caught:
        rest(http(HTML, "429 Too Many Requests")).balances()
    assert caught.value.retryable


@pytest.mark.parametrize(
    "status", ["408 Request Timeout", "500 Oops", "502 Bad Gateway", "503 Unavailable", "520 Unknown"]
)
@pytest.mark.parametrize("body", [HTML, b"", b'{"success":false}', b'{"error":[]}', b'{"error":"EService"}', PLACED])
def test_a_failing_server_may_have_carried_it_out(rest: Rest, loopback: Loopback, status: str, body: bytes) -> None:
    client = rest(http(body, status))
    with pytest.raises(AnswerLost, match=f"AddOrder.*HTTP {status[:3]}") as caught:
        client.send_order(ORDER)
    assert not caught.value.outcome_known
    assert not caught.value.retryable
    with pytest.raises(AnswerLost, match="Balance"):
        client.balances()
    assert loopback.connections == 1


@pytest.mark.parametrize("status", ["200 OK", "400 Bad Request", "503 Unavailable"])
def test_a_refusal_in_the_services_words_counts_whatever_the_status(rest: Rest, status: str) -> None:
    client = rest(http(b'{"error":["EOrder:Insufficient funds"]}', status))
    assert client.send_order(ORDER).answer == OrderRefused("EOrder:Insufficient funds")
    with pytest.raises(VenueRefusal, match="EOrder:Insufficient funds"):
        client.balances()


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        http(PLACED)[:-1],
        b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"err',
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n" + PLACED,
        b"220 mail.example ESMTP\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n123456",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: x\r\n" * 1_000 + b"\r\n",
    ],
)
@pytest.mark.parametrize("reset", [False, True])
def test_half_an_answer_is_none(rest: Rest, loopback: Loopback, answer: bytes, reset: bool) -> None:
    async def talk(peer: Peer) -> None:
        await call(peer)
        await peer.send(answer)
        if reset:
            await peer.reset()

    client = rest(talk=talk)
    for act in (lambda: client.send_order(ORDER), client.balances):
        with pytest.raises(AnswerLost) as caught:
            act()
        assert not caught.value.outcome_known
    assert loopback.connections == 2


@pytest.mark.parametrize("reset", [False, True])
def test_a_server_that_goes_before_it_has_read_the_call_may_have_had_it(
    rest: Rest, loopback: Loopback, reset: bool
) -> None:
    async def talk(peer: Peer) -> None:
        if reset:
            await peer.reader.readexactly(1)
            await peer.reset()

    with pytest.raises(AnswerLost, match="ended before the answer"):
        rest(talk=talk).send_order(ORDER)
    assert loopback.connections == 1


def test_silence_ends_with_the_time_allowed(rest: Rest, loopback: Loopback) -> None:
    async def talk(peer: Peer) -> None:
        await peer.until_gone()

    with pytest.raises(AnswerLost, match="no answer within the time allowed"):
        rest(talk=talk, timeout_s=0.05).send_order(ORDER)
    assert loopback.connections == 1


@pytest.mark.parametrize("start", [b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n"])
def test_an_answer_that_drips_ends_with_the_time_allowed_too(rest: Rest, start: bytes) -> None:
    async def talk(peer: Peer) -> None:
        await call(peer)
        await peer.send(start)
        while not peer.writer.is_closing():
            await peer.send(b"x")

    with pytest.raises(AnswerLost) as caught:
        rest(talk=talk, timeout_s=0.2).send_order(ORDER)
    assert caught.value.method == "AddOrder"


@pytest.mark.parametrize("told", [True, False])
def test_an_answer_beyond_the_limit_is_not_read_on(rest: Rest, monkeypatch: pytest.MonkeyPatch, told: bool) -> None:
    monkeypatch.setattr(limits, "REST_ANSWER_BYTES_MAX", 100_000)
    body = b" " * 200_000
    answer = http(body) if told else b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + body
    client = rest(answer)
    with pytest.raises(FrameTooBig, match="limit is 100000"):
        client.balances()
    with pytest.raises(AnswerLost) as caught:
        client.send_order(ORDER)
    assert isinstance(caught.value.__cause__, FrameTooBig)


@pytest.mark.parametrize("body", [HTML, b"", b"[]", b"null", b'{"error":[],"result":5}', b"\xff", b"[" * 9_000])
def test_what_is_no_answer_of_the_service_is_a_violation_and_of_an_order_unknown(rest: Rest, body: bytes) -> None:
    client = rest(http(body))
    with pytest.raises(DecodeError):
        client.balances()
    with pytest.raises(AnswerLost) as caught:
        client.send_order(ORDER)
    assert isinstance(caught.value.__cause__, DecodeError)


def test_a_compressed_answer_was_not_asked_for(rest: Rest) -> None:
    client = rest(http(b"\x1f\x8b\x08", "200 OK", "Content-Encoding: gzip"))
    with pytest.raises(DecodeError, match="compressed"):
        client.balances()
    with pytest.raises(AnswerLost):
        client.send_order(ORDER)


def test_any_bytes_at_all_end_in_an_error_of_the_tree(rest: Rest) -> None:
    chance = random.Random(20260928)
    whole = http(PLACED, "200 OK", "Connection: keep-alive", "X-More: a;b=c")

    async def talk(peer: Peer) -> None:
        await call(peer)
        answer = bytearray(whole)
        for _ in range(chance.randrange(4)):
            answer[chance.randrange(len(answer))] = chance.choice(b'\0\r\n :01234az{}[]"\xff')
        await peer.send(bytes(answer[: chance.choice((len(answer), chance.randrange(len(answer))))]))

    client, ends = rest(talk=talk), set[type]()
    for _ in range(400):
        try:
            ends.add(type(client.send_order(ORDER)))
        except KrakenwireError as error:
            ends.add(type(error))
    assert {TradingReply, AnswerLost} <= ends <= {TradingReply, AnswerLost, HttpRefusal}


# -- refusals --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "hint"),
    [
        ("EAPI:Invalid key", "environment"),
        ("EAPI:Invalid signature", "belong together"),
        ("EAPI:Invalid nonce", "another program"),
        ("EGeneral:Permission denied", '"Data - Query ledger entries"'),
        ("EAPI:Permission denied", '"Data - Query ledger entries"'),
        ("EAPI:Rate limit exceeded", "4 points"),
        ("EGeneral:Temporary lockout", "15 minutes"),
        ("EService:Unavailable", "SystemStatus"),
        ("EService: Throttled: 1762820224", "SystemStatus"),
    ],
)
def test_a_refusal_keeps_the_venues_words_and_says_what_helps(rest: Rest, error: str, hint: str) -> None:
    client = rest(http(json.dumps({"error": [error]}).encode()))
    with pytest.raises(VenueRefusal) as caught:
        client.query_ledgers(["L1"])
    assert (caught.value.error, caught.value.method) == (error, "QueryLedgers")
    assert hint in caught.value.hint


def test_either_of_two_permissions_is_named(rest: Rest) -> None:
    client = rest(http(b'{"error":["EGeneral:Permission denied"]}'))
    with pytest.raises(VenueRefusal, match=r'Query closed orders & trades" or ".*Query open orders & trades"'):
        client.trades_history()


def test_a_refusal_that_needs_no_explanation_gets_none(rest: Rest) -> None:
    with pytest.raises(VenueRefusal) as caught:
        rest(http(b'{"error":["EGeneral:Unknown method"]}')).private("Nothing", {}, dict)
    assert str(caught.value) == "Nothing refused: EGeneral:Unknown method"


# -- never shown -----------------------------------------------------------------


def test_no_log_and_no_error_shows_key_secret_signature_or_token(rest: Rest, caplog: pytest.LogCaptureFixture) -> None:
    seen: list[bytes] = []
    answers = iter(
        [
            http(b'{"error":[],"result":{"token":"sesame","expires":900}}'),
            http(b'{"error":[],"result":{"token":"sesame"'),
            http(b'{"error":[],"result":{"tokens":"sesame"}}'),
            http(b'{"error":["EAPI:Invalid signature"]}'),
            http(HTML, "503 Unavailable"),
            b"HTTP/1.1 200 OK\r\nbroken",
        ]
    )

    async def talk(peer: Peer) -> None:
        while True:
            head, _ = await call(peer)
            seen.append(re.search(rb"API-Sign: (\S+)", head)[1])  # type: ignore[index]
            answer = next(answers)
            await peer.send(answer)
            if answer.endswith(b"broken"):
                return

    client = rest(talk=talk)
    with caplog.at_level(logging.DEBUG):
        shown = [repr(client), repr(client.websocket_token())]
        for _ in range(5):
            with pytest.raises(KrakenwireError) as caught:
                client.websocket_token()
            shown += traceback.format_exception(caught.value)
    text = "".join([*shown, caplog.text])
    assert len(seen) == 6
    for secret in (SECRET, "sesame", *map(bytes.decode, seen)):
        assert secret not in text
    told = [record.getMessage() for record in caplog.records if record.name == "krakenwire.client"]
    assert told == [
        "GetWebSocketsToken: answered",
        "GetWebSocketsToken: DecodeError",
        "GetWebSocketsToken: DecodeError",
        "GetWebSocketsToken: refused with EAPI:Invalid signature",
        "GetWebSocketsToken: AnswerLost",
        "GetWebSocketsToken: AnswerLost",
    ]


def test_the_wire_shows_nothing_of_itself_but_its_address(loopback: Loopback) -> None:
    wire = rest_wire.RestWire("http://127.0.0.1:1/prefix", None, 1.0)
    assert wire.base_url == "http://127.0.0.1:1/prefix"
    with pytest.raises(ConnectError, match="prefix"):
        wire.exchange("GET", "/0/public/Time", headers={})
