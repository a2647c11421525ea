"""Every documented error text of the gateways, with the frame or the call that it refuses.

The half of `error_texts` that needs no account to have done anything: what is
sent, and every member of what comes back. Source: v1 reference, sections 6 and
11; v2 reference, sections 5 and 12.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from krakenwire.venue.gateways.hosts import Host

INVALID: Final = "EGeneral:Invalid arguments"
NEVER_GIVEN: Final = "OAAAAA-AAAAA-AAAAAA"
"""An order id that nobody was ever given."""

PRIVATE_ELSEWHERE: Final = "Private data and trading are unavailable on this endpoint. Try ws-auth.kraken.com"
PUBLIC_ELSEWHERE: Final = "Public market data subscriptions are unavailable on this endpoint. Try ws.kraken.com"


# -- frames ------------------------------------------------------------------------


class Frame(NamedTuple):
    """A frame that is refused.

    Args:
        text: what with.
        sent: the frame; ``TOKEN`` in it becomes the token of the account.
        members: what the refusal has beside its text, but for times.
        before: frames that come before it.
        by: whose token it is.
        outside: whether it is sent to an address that knows of no accounts.
        host: the address it is sent to, where hosts are strict.
        hurried: whether its connection may send one message at once.
    """

    text: str
    sent: dict[str, Any] | str
    members: dict[str, Any]
    before: tuple[dict[str, Any], ...] = ()
    by: str = "ann"
    outside: bool = False
    host: Host = "any"
    hurried: bool = False


def _v2(method: str, params: Any = None, **members: Any) -> dict[str, Any]:
    given = {} if params is None else {"params": params}
    return {"method": method, **given, "req_id": 7, **members}


def _no(method: str, **members: Any) -> dict[str, Any]:
    return {"method": method, "req_id": 7, "success": False, **members}


_TICKER: Final = {"channel": "ticker", "symbol": ["BTC/USD"]}
_ADD: Final = {
    "order_type": "limit",
    "side": "buy",
    "symbol": "BTC/USD",
    "order_qty": 0.01,
    "limit_price": 1.0,
    "token": "TOKEN",
}


def _but(members: dict[str, Any], *left_out: str, **changes: Any) -> dict[str, Any]:
    return {name: value for name, value in {**members, **changes}.items() if name not in left_out}


_SUBSCRIBED_V2: Final = {"method": "subscribe", "success": False, "req_id": 7}

FRAMES_V2: Final = (
    Frame("Malformed request", "no JSON", {"method": "error", "success": False}),
    Frame("Malformed request", "[1]", {"method": "error", "success": False}),
    Frame("Method(s) not found", {"event": "ping", "req_id": 7}, _no("error")),
    Frame("Unsupported event", _v2("no_such_method"), _no("no_such_method")),
    Frame("Unsupported field: 'params' for the given msg type: ping", _v2("ping", {}), _no("ping")),
    Frame(
        "Unsupported field: 'channel' for the given msg type: subscribe",
        _v2("subscribe", _TICKER, channel="ticker"),
        _no("subscribe", symbol="BTC/USD"),
    ),
    Frame(
        "Unsupported field: 'leverage' for the given msg type: add_order",
        _v2("add_order", _but(_ADD, leverage=2)),
        _no("add_order"),
    ),
    Frame(
        "Limit_price field must be a number_float",
        _v2("add_order", _but(_ADD, limit_price="1.0")),
        _no("add_order"),
    ),
    Frame(
        "Cash_order_qty field must be a number_float",
        _v2("add_order", _but(_ADD, "order_qty", cash_order_qty="1.0")),
        _no("add_order"),
    ),
    Frame("Token(s) not found", _v2("add_order", _but(_ADD, "token")), _no("add_order")),
    Frame("Token(s) not found", _v2("subscribe", {"channel": "executions"}), _no("subscribe")),
    Frame("Symbol(s) not found", _v2("add_order", _but(_ADD, "symbol")), _no("add_order")),
    Frame("Symbol(s) not found", _v2("subscribe", {"channel": "ticker"}), _no("subscribe")),
    Frame("Limit_price(s) not found", _v2("add_order", _but(_ADD, "limit_price")), _no("add_order")),
    Frame(
        "Subscription name invalid",
        _v2("subscribe", _but(_TICKER, channel="nonsense")),
        _no("subscribe", symbol="BTC/USD"),
    ),
    Frame(
        "Currency pair not supported XBT/USD",
        _v2("subscribe", _but(_TICKER, symbol=["XBT/USD"])),
        _no("subscribe", symbol="XBT/USD"),
    ),
    Frame(
        "Subscription depth not supported",
        _v2("subscribe", {"channel": "book", "symbol": ["BTC/USD"], "depth": 42}),
        _no("subscribe", symbol="BTC/USD"),
    ),
    Frame(
        "Already subscribed",
        _v2("subscribe", _TICKER),
        _no("subscribe", symbol="BTC/USD"),
        before=(_v2("subscribe", _TICKER),),
    ),
    Frame("Subscription Not Found", _v2("unsubscribe", _TICKER), _no("subscribe", symbol="BTC/USD")),
    Frame(PRIVATE_ELSEWHERE, _v2("add_order", _ADD), _no("add_order"), outside=True),
    Frame(
        PRIVATE_ELSEWHERE,
        _v2("subscribe", {"channel": "executions", "token": "TOKEN"}),
        _no("subscribe"),
        outside=True,
    ),
    Frame(PRIVATE_ELSEWHERE, _v2("add_order", _ADD), _no("add_order"), host="public"),
    Frame(PUBLIC_ELSEWHERE, _v2("subscribe", _TICKER), _no("subscribe"), host="private"),
    Frame("Exceeded msg rate", _v2("ping"), _no("ping"), before=(_v2("ping"),), hurried=True),
    Frame("ESession:Invalid session", _v2("add_order", _but(_ADD, token="none")), _no("add_order")),
    Frame(
        "ESession:Invalid session",
        _v2("subscribe", {"channel": "executions", "token": "none"}),
        _no("subscribe", channel="executions", status="error"),
    ),
    Frame(
        "EGeneral:Permission denied",
        _v2("subscribe", {"channel": "balances", "token": "TOKEN"}),
        _no("subscribe", channel="balances", status="error"),
        by="reader",
    ),
)


def _error(text_of: str, **members: Any) -> dict[str, Any]:
    return {"event": f"{text_of}Status", "status": "error", **members}


_REQID: Final = "Reqid field must be a positive integer less than 18446744073709551616"
_PING: Final = {"event": "ping", "reqid": -1}
_ADD_V1: Final = {
    "event": "addOrder",
    "reqid": 7,
    "pair": "XBT/USD",
    "type": "buy",
    "ordertype": "limit",
    "price": "1.0",
    "volume": "0.01",
    "token": "TOKEN",
}


def _v1(subscription: Any, *pairs: str, event: str = "subscribe", **members: Any) -> dict[str, Any]:
    given = {"pair": list(pairs)} if pairs else {}
    return {"event": event, "reqid": 7, **given, "subscription": subscription, **members}


def _refused(text: str, subscription: Any, *, pair: str | None = "XBT/USD", event: str = "subscribe") -> Frame:
    """A subscription to one pair, or to none, that is refused with its object repeated."""
    pairs = () if pair is None else (pair,)
    members = _error("subscription", reqid=7, subscription=subscription)
    return Frame(text, _v1(subscription, *pairs, event=event), members | ({} if pair is None else {"pair": pair}))


FRAMES_V1: Final = (
    Frame("Malformed request", "no JSON", {"event": "error"}),
    Frame("Event(s) not found", {"method": "ping", "reqid": 7}, _error("subscription", reqid=7)),
    Frame("Unsupported event", {"event": "ping ", "reqid": 7}, _error("subscription", reqid=7)),
    Frame(_REQID, _PING, _error("ping", reqid=-1)),
    Frame(_REQID, _but(_ADD_V1, reqid="seven"), _error("addOrder", reqid="seven")),
    Frame(
        "Malformed request",
        _v1({"depth": 10}, "XBT/USD"),
        _error("subscription", reqid=7, pair="XBT/USD", subscription={"depth": 10}),
    ),
    Frame(
        "Unsupported field: 'error' for the given msg type: subscribe",
        _v1({"name": "ticker"}, "XBT/USD", error=1),
        _error("subscription", reqid=7, pair="XBT/USD", subscription={"name": "ticker"}),
    ),
    Frame(
        "Unsupported field: 'refid' for the given msg type: add order",
        _but(_ADD_V1, refid="1"),
        _error("addOrder", reqid=7, pair="XBT/USD"),
    ),
    _refused("Currency pair not supported XBT/FOO", {"name": "ticker"}, pair="XBT/FOO"),
    _refused("Currency pair not in ISO 4217-A3 format XBTUSD", {"name": "ticker"}, pair="XBTUSD"),
    _refused("Subscription name invalid", {"name": "nonsense"}),
    _refused("Subscription depth not supported", {"name": "book", "depth": 42}),
    _refused("Subscription ohlc interval not supported", {"name": "ohlc", "interval": 42}),
    _refused("Subscription trade doesn't require interval", {"name": "trade", "interval": 5}),
    _refused("Subscription spread doesn't require depth", {"name": "spread", "depth": 10}),
    Frame(
        "Pair field must be an array",
        _v1({"name": "ticker"}, pair="XBT/USD"),
        _error("subscription", reqid=7, pair="XBT/USD", subscription={"name": "ticker"}),
    ),
    _refused("Pair field unsupported for this subscription type", {"name": "ownTrades", "token": "TOKEN"}),
    _refused("Pair(s) not found", {"name": "ticker"}, pair=None),
    _refused("Subscription book depth must be an integer", {"name": "book", "depth": "10"}),
    _refused("Subscription ohlc interval must be an integer", {"name": "ohlc", "interval": "5"}),
    _refused("Subscription field must be an object", "ticker"),
    _refused("Subscription object unsupported field", {"name": "ticker", "nonsense": 1}),
    _refused("Subscription Not Found", {"name": "ticker"}, event="unsubscribe"),
    Frame(
        "Subscription Not Found",
        {"event": "unsubscribe", "channelID": 12345, "reqid": 7},
        _error("subscription", reqid=7, channelID=12345),
    ),
    _refused("Token(s) not found", {"name": "openOrders"}, pair=None),
    Frame("Token(s) not found", _but(_ADD_V1, "token"), _error("addOrder", reqid=7, pair="XBT/USD")),
    Frame(PRIVATE_ELSEWHERE, _ADD_V1, _error("addOrder", reqid=7), outside=True),
    Frame(
        PRIVATE_ELSEWHERE,
        _v1({"name": "ownTrades", "token": "TOKEN"}),
        _error("subscription", reqid=7, subscription={"name": "ownTrades", "token": "TOKEN"}),
        outside=True,
    ),
    Frame(PRIVATE_ELSEWHERE, _ADD_V1, _error("addOrder", reqid=7), host="public"),
    _refused(PUBLIC_ELSEWHERE, {"name": "ticker"})._replace(host="private"),
    Frame(
        "Exceeded msg rate",
        {"event": "ping", "reqid": 7},
        {"event": "error", "reqid": 7},
        before=({"event": "ping"},),
        hurried=True,
    ),
    _refused("ESession:Invalid session", {"name": "ownTrades", "token": "none"}, pair=None),
    Frame("ESession:Invalid session", _but(_ADD_V1, token="none"), _error("addOrder", reqid=7)),
    Frame(f"{INVALID}:ordertype", _but(_ADD_V1, ordertype="nonsense"), _error("addOrder", reqid=7)),
    Frame(f"{INVALID}:timeinforce", _but(_ADD_V1, timeinforce="FOK"), _error("addOrder", reqid=7)),
)


# -- texts of REST ------------------------------------------------------------------


class Call(NamedTuple):
    """A call that is refused: `method` is private where it has an account, its parameters are in a form."""

    text: str
    method: str
    params: Mapping[str, str] = MappingProxyType({})
    by: str | None = "ann"


_ADD_REST: Final = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "price": "1.0", "volume": "0.01"}

CALLS: Final = (
    Call("EGeneral:Unknown method", "NoSuchMethod", by=None),
    Call("EGeneral:Unknown method", "NoSuchMethod"),
    Call("EQuery:Unknown asset pair", "Ticker", {"pair": "FOOBAR"}, by=None),
    Call("EQuery:Unknown asset pair", "AddOrder", _but(_ADD_REST, pair="FOOBAR")),
    Call("EQuery:Unknown asset pair", "TradeVolume", {"pair": "FOOBAR"}),
    Call("EQuery:Unknown asset", "Assets", {"asset": "FOO"}, by=None),
    Call("EQuery:Unknown asset", "Ledgers", {"asset": "FOO"}),
    Call(INVALID, "Depth", {"pair": "XBTUSD", "count": "many"}, by=None),
    Call(f"{INVALID}:ordertype", "AddOrder", _but(_ADD_REST, ordertype="nonsense")),
    Call(f"{INVALID}:price", "AddOrder", _but(_ADD_REST, price="much")),
    Call("EGeneral:Permission denied", "Balance", by="reader"),
    Call("EOrder:Unknown order", "QueryOrders", {"txid": NEVER_GIVEN}),
    Call("EOrder:Unknown order", "OrderAmends", {"order_id": NEVER_GIVEN}),
    Call("EOrder:Invalid order", "QueryTrades", {"txid": "TAAAAA-AAAAA-AAAAAA"}),
)
