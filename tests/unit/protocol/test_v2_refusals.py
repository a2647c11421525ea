"""Every documented refusal of a v2 request: one row per text."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from krakenwire.limits import REQUEST_BYTES_MAX, VENUE_PAIRS_PER_REQUEST_MAX
from krakenwire.protocol.v2.venue import PingRequest, Refusal, SubscribeRequest, parse_request


def subscribe(params: str, method: str = "subscribe") -> str:
    return f'{{"method":"{method}","params":{params},"req_id":3}}'


def field(name: str, method: str) -> str:
    return f"Unsupported field: '{name}' for the given msg type: {method}"


@pytest.mark.parametrize(
    ("frame", "error", "method"),
    [
        ("not JSON", "Malformed request", "error"),
        ("", "Malformed request", "error"),
        ("[]", "Malformed request", "error"),
        ("7", "Malformed request", "error"),
        (b"\xff\xfe", "Malformed request", "error"),
        ("\ud800", "Malformed request", "error"),
        ('{"method":"ping"', "Malformed request", "error"),
        ("[" * 50_000, "Malformed request", "error"),
        ('{"method":"ping","req_id":' + "9" * 5_000 + "}", "Malformed request", "error"),
        ('{"method":"ping"}' + " " * REQUEST_BYTES_MAX, "Malformed request", "error"),
        ("{}", "Method(s) not found", "error"),
        ('{"event":"subscribe","pair":["XBT/USD"]}', "Method(s) not found", "error"),
        ('{"method":5}', "Method field must be a string", "error"),
        ('{"method":"dance"}', "Unsupported event", "dance"),
        ('{"method":"ping","params":{}}', field("params", "ping"), "ping"),
        ('{"method":"ping","req_id":"x"}', "Req_id field must be an integer", "ping"),
        ('{"method":"ping","req_id":1.5}', "Req_id field must be an integer", "ping"),
        ('{"method":"ping","req_id":true}', "Req_id field must be an integer", "ping"),
        ('{"method":"ping","req_id":36893488147419103232}', "Req_id field must be an integer", "ping"),
        ('{"method":"subscribe","channel":"book","params":{}}', field("channel", "subscribe"), "subscribe"),
        ('{"method":"subscribe"}', "Params(s) not found", "subscribe"),
        ('{"method":"subscribe","params":[]}', "Params field must be an object", "subscribe"),
    ],
)
def test_a_wrong_request_is_refused_with_the_documented_text(frame: str | bytes, error: str, method: str) -> None:
    refusal = parse_request(frame)
    assert isinstance(refusal, Refusal)
    assert (refusal.error, refusal.method) == (error, method)


@pytest.mark.parametrize("method", ["subscribe", "unsubscribe"])
@pytest.mark.parametrize(
    ("params", "error"),
    [
        ('{"channel":"book","symbol":["A/B"],"deepness":3}', field("deepness", "<method>")),
        ('{"channel":"book","symbol":["A/B"],"req_id":3}', field("req_id", "<method>")),
        ('{"symbol":["A/B"]}', "Channel(s) not found"),
        ('{"channel":7}', "Channel field must be a string"),
        ('{"channel":"books","symbol":["A/B"]}', "Subscription name invalid"),
        ('{"channel":"heartbeat"}', "Subscription name invalid"),
        ('{"channel":"status"}', "Symbol(s) not found"),
        ('{"channel":"trade"}', "Symbol(s) not found"),
        ('{"channel":"trade","symbol":[]}', "Symbol(s) not found"),
        ('{"channel":"trade","symbol":"A/B"}', "Symbol field must be an array"),
        ('{"channel":"trade","symbol":[1]}', "Symbol field must be an array of strings"),
        ('{"channel":"book","symbol":["A/B"],"depth":11}', "Subscription depth not supported"),
        ('{"channel":"level3","symbol":["A/B"],"depth":25,"token":"t"}', "Subscription depth not supported"),
        ('{"channel":"book","symbol":["A/B"],"depth":"10"}', "Depth field must be an integer"),
        ('{"channel":"book","symbol":["A/B"],"depth":10.0}', "Depth field must be an integer"),
        ('{"channel":"ohlc","symbol":["A/B"],"interval":2}', "Subscription ohlc interval not supported"),
        ('{"channel":"ohlc","symbol":["A/B"],"interval":true}', "Interval field must be an integer"),
        ('{"channel":"ticker","symbol":["A/B"],"event_trigger":"x"}', "Subscription event_trigger not supported"),
        ('{"channel":"ticker","symbol":["A/B"],"snapshot":1}', "Snapshot field must be a boolean"),
        ('{"channel":"level3","symbol":["A/B"]}', "Token(s) not found"),
        ('{"channel":"level3","symbol":["A/B"],"token":""}', "Token(s) not found"),
        ('{"channel":"level3","symbol":["A/B"],"token":7}', "Token field must be a string"),
    ],
)
def test_wrong_parameters_are_refused_with_the_documented_text(params: str, error: str, method: str) -> None:
    refusal = parse_request(subscribe(params, method))
    assert isinstance(refusal, Refusal)
    assert (refusal.error, refusal.method, refusal.req_id) == (error.replace("<method>", method), method, 3)


def test_a_refusal_names_the_symbols_and_the_number_of_its_request() -> None:
    refusal = parse_request(subscribe('{"channel":"book","symbol":["A/B","C/D"],"depth":7}'))
    assert refusal == Refusal(
        error="Subscription depth not supported",
        method="subscribe",
        symbols=("A/B", "C/D"),
        req_id=3,
        channel="book",
    )


def test_a_number_that_cannot_be_repeated_is_left_out() -> None:
    refusal = parse_request('{"method":"ping","req_id":[1]}')
    assert isinstance(refusal, Refusal)
    assert refusal.req_id is None


@pytest.mark.parametrize("req_id", [0, -1, 694480169830934, 18446744073709551615])
def test_numbers_of_64_bits_are_repeated(req_id: int) -> None:
    assert parse_request(f'{{"method":"ping","req_id":{req_id}}}') == PingRequest(req_id=req_id)


def test_more_symbols_than_a_venue_takes_are_refused_and_answered_in_bounds() -> None:
    symbols = ",".join(['"A/B"'] * (VENUE_PAIRS_PER_REQUEST_MAX + 1))
    refusal = parse_request(subscribe(f'{{"channel":"trade","symbol":[{symbols}]}}'))
    assert isinstance(refusal, Refusal)
    assert refusal.error == "Exceeded msg rate"
    assert len(refusal.symbols) == VENUE_PAIRS_PER_REQUEST_MAX


def test_defaults_are_filled_in() -> None:
    def defaults(channel: str) -> tuple[object, ...]:
        request = parse_request(subscribe(f'{{"channel":"{channel}","symbol":["A/B"],"token":"t"}}'))
        assert isinstance(request, SubscribeRequest)
        return (request.depth, request.interval, request.event_trigger, request.snapshot)

    assert defaults("ticker") == (None, None, "trades", True)
    assert defaults("book") == (10, None, None, True)
    assert defaults("level3") == (10, None, None, True)
    assert defaults("ohlc") == (None, 1, None, True)
    assert defaults("trade") == (None, None, None, False)
    assert defaults("instrument") == (None, None, None, True)


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_any_frame_is_answered(frame: bytes | str) -> None:
    assert parse_request(frame) is not None


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
_PARAMS = st.fixed_dictionaries(
    {},
    optional={
        "channel": st.sampled_from(("ticker", "book", "level3", "ohlc", "trade", "instrument", "status")) | _JSON,
        "symbol": st.lists(st.sampled_from(("A/B", "C/D"))) | _JSON,
        "depth": st.sampled_from((10, 25, 7)) | _JSON,
        "interval": st.sampled_from((1, 5, 7)) | _JSON,
        "event_trigger": st.sampled_from(("bbo", "x")) | _JSON,
        "snapshot": st.booleans() | _JSON,
        "token": st.just("t") | _JSON,
    },
)


@given(
    st.fixed_dictionaries(
        {"method": st.sampled_from(("subscribe", "unsubscribe", "ping", "add_order")) | _JSON},
        optional={"params": _PARAMS | _JSON, "req_id": st.integers() | _JSON},
    )
)
def test_any_object_is_understood_or_refused(request: dict[str, object]) -> None:
    answer = parse_request(msgspec.json.encode(request))
    if isinstance(answer, SubscribeRequest):
        assert answer.symbols or answer.channel == "instrument"
    elif isinstance(answer, Refusal):
        assert answer.error
