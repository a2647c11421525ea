"""Every documented error text, and how it comes about on the local Kraken: the table of `test_error_texts`.

Texts of the engine come from requests about orders, the same on each version
that can say them (`ORDERS`); texts of the gateways from frames and calls as
they stand (`FRAMES`, `CALLS`). `ELSEWHERE` are those that take a server, a
fault or a limit to provoke, `NEVER` those that cannot occur here, with the
reason. Source: v1 reference, sections 6 and 11; v2 reference, sections 4, 5,
11 and 12.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from msgspec import structs
from tests.conformance.house import SECOND, VERSIONS, Door, Version

from krakenwire.model import (
    AmendOrder,
    CancelAll,
    CancelAllAfter,
    CancelOrders,
    EditOrder,
    TradingRequest,
    Trigger,
)

NEVER_GIVEN: Final = "OAAAAA-AAAAA-AAAAAA"
"""An order id that nobody was ever given."""

INVALID: Final = "EGeneral:Invalid arguments"
PRIVATE_ELSEWHERE: Final = "Private data and trading are unavailable on this endpoint. Try ws-auth.kraken.com"


# -- texts of the engine ----------------------------------------------------------


class Order(NamedTuple):
    """A request about orders that is refused.

    Args:
        text: what with.
        ask: makes the request, after whatever has to come before it.
        by: whose request.
        on: versions that can say it.
        mode: of the venue when it is asked.
    """

    text: str
    ask: Callable[[Door], TradingRequest]
    by: str = "ann"
    on: tuple[Version, ...] = VERSIONS
    mode: str = "online"


def _ask(**changes: Any) -> Callable[[Door], TradingRequest]:
    return lambda door: door.order(**changes)


def _twice(door: Door) -> TradingRequest:
    door.place(cl_ord_id="mine")
    return door.order(cl_ord_id="mine")


def _ended(door: Door) -> str:
    order_id = door.place()
    door.ask(CancelOrders(order_ids=(order_id,)))
    return order_id


def _through(door: Door, times: Decimal = Decimal(1)) -> Decimal:
    market = door.house.venue.market("BTC/USD")
    assert market is not None
    return Decimal(market.quote.ask).scaleb(-market.instrument.price_precision) * times


def _hastily(request: TradingRequest) -> Callable[[Door], TradingRequest]:
    """The same again and again until the counter is full."""

    def ask(door: Door) -> TradingRequest:
        for _ in range(3):
            door.ask(request)
        return request

    return ask


def _hasty_adds(door: Door) -> TradingRequest:
    checked = door.order(validate=True)
    return _hastily(checked)(door)


def _crowded(door: Door) -> TradingRequest:
    for _ in range(2):
        door.place()
    return door.order()


def _replaced(door: Door) -> TradingRequest:
    return EditOrder(order_id=_ended(door), symbol="BTC/USD", order_qty=Decimal("0.02"))


def _edit_of_nothing(_: Door) -> TradingRequest:
    return EditOrder(order_id=NEVER_GIVEN, symbol="BTC/USD", order_qty=Decimal("0.02"))


def _unlisted(door: Door) -> TradingRequest:
    return structs.replace(door.order(), symbol="FOO/BAR")


_ON_INDEX: Final = Trigger(price=Decimal(1), reference="index")
_SETTLE: Final = {"order_type": "settle-position", "limit_price": None}

ORDERS: Final = (
    Order(INVALID, _ask(cl_ord_id="mine", order_userref=1)),
    Order(f"{INVALID}:volume", _ask(order_qty=Decimal(0))),
    Order(f"{INVALID}:volume", _ask(order_qty=Decimal("0.000000001"))),
    Order(f"{INVALID}:volume minimum not met", _ask(order_qty=Decimal("0.00000001")), on=("v2", "rest")),
    Order("EOrder:Order minimum not met", _ask(order_qty=Decimal("0.00000001")), on=("v1",)),
    Order(f"{INVALID}:timeinforce", _ask(post_only=True, time_in_force="ioc")),
    Order(f"{INVALID}:ordertype", _ask(order_type="nonsense"), on=("v2",)),
    Order(f"{INVALID}:cl_ord_id", _ask(cl_ord_id="n" * 19)),
    Order(f"{INVALID}:cl_ord_id not unique", _twice),
    Order(
        f"{INVALID}:Index unavailable",
        _ask(symbol="SOL/USD", order_type="stop-loss", triggers=_ON_INDEX, limit_price=None),
        on=("v2", "rest"),
    ),
    Order(f"{INVALID}:Invalid timeout argument", lambda _: CancelAllAfter(timeout_s=86_400)),
    Order("EGeneral:Permission denied", _ask(), by="reader"),
    Order("EGeneral:Permission denied", lambda _: CancelAll(), by="reader"),
    Order("EOrder:Insufficient funds", _ask(), by="poor"),
    Order("EOrder:Cost minimum not met", _ask(order_qty=Decimal("0.0001"), limit_price=Decimal(1))),
    Order("EOrder:Tick size check failed", _ask(limit_price=Decimal("50000.01"))),
    Order("EOrder:Invalid price", lambda door: door.order(limit_price=_through(door, Decimal(20)))),
    Order("EOrder:Invalid order", lambda _: CancelOrders(order_ids=(NEVER_GIVEN,))),
    Order("EOrder:Invalid order", lambda _: CancelOrders(order_ids=("no id at all",))),
    Order("EOrder:Invalid order", lambda _: AmendOrder(order_id=NEVER_GIVEN, order_qty=Decimal(1))),
    Order("EOrder:Invalid order", _edit_of_nothing),
    Order("EOrder:Unknown order", lambda door: CancelOrders(order_ids=(_ended(door),))),
    Order("EOrder:Unknown order", lambda door: AmendOrder(order_id=_ended(door), order_qty=Decimal(1))),
    Order("EOrder:Unknown order", _replaced),
    Order("EOrder:Unknown order", lambda _: CancelOrders(order_userrefs=(4711,))),
    Order("EOrder:Unknown order", lambda _: CancelOrders(cl_ord_ids=("never used",))),
    Order("EOrder:Unknown position", _ask(**_SETTLE), by="marge"),
    Order("EOrder:No amendable parameters specified", lambda door: AmendOrder(order_id=door.place())),
    Order(
        "EOrder:Post only order",
        lambda door: AmendOrder(order_id=door.place(), limit_price=_through(door), post_only=True),
    ),
    Order("EOrder:Rate limit exceeded", _hasty_adds, by="hasty"),
    Order("EOrder:Domain rate limit exceeded", _hastily(CancelAll()), by="hasty"),
    Order("EOrder:Orders limit exceeded", _crowded, by="crowded"),
    Order("EOrder:Margin level too low", _ask(order_qty=Decimal(1), margin=True), by="marge"),
    Order("EOrder:Margin position size exceeded", _ask(order_qty=Decimal(10_000), margin=True), by="tycoon"),
    Order("EOrder:Cannot open position", _ask(margin=True)),
    Order(f"{INVALID}:leverage", _ask(leverage=77), by="marge", on=("v1", "rest")),
    Order("EOrder:Reduce only:No position exists", _ask(reduce_only=True, margin=True), by="marge"),
    Order("EService:Unavailable", _ask(), mode="maintenance"),
    Order("EService:Unavailable", lambda _: CancelAll(), mode="maintenance"),
    Order("EService:Market in cancel_only mode", _ask(), mode="cancel_only"),
    Order("EService:Market in post_only mode", _ask(), mode="post_only"),
    Order("EService:Market in limit_only mode", _ask(order_type="market", limit_price=None), mode="limit_only"),
    Order("EService:Deadline elapsed", lambda door: door.order(deadline_ns=door.house.now_ns - SECOND)),
    Order("EQuery:Unknown asset pair", _unlisted),
)


# -- texts of the gateways ----------------------------------------------------------


class Frame(NamedTuple):
    """A frame that is refused.

    Args:
        text: what with.
        sent: the frame; ``TOKEN`` in it becomes the token of the account.
        members: what the refusal has beside its text, but for times.
        before: frames that come before it.
        by: whose token it is.
        outside: whether it is sent to an address that knows of no accounts.
    """

    text: str
    sent: dict[str, Any] | str
    members: dict[str, Any]
    before: tuple[dict[str, Any], ...] = ()
    by: str = "ann"
    outside: bool = False


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


# -- what is not provoked here ----------------------------------------------------------

ELSEWHERE: Final = {
    "EAPI:Invalid key": "a key: test_error_texts",
    "EAPI:Invalid signature": "a key: test_error_texts",
    "EAPI:Invalid nonce": "a key: test_error_texts",
    "EAPI:Rate limit exceeded": "a limit: test_error_texts",
    "EGeneral:Temporary lockout": "a limit: test_error_texts",
    "Exceeded msg rate": "message rate",
    "Public market data subscriptions are unavailable on this endpoint. Try ws.kraken.com": "strict hosts",
    "Public channels not available in this endpoint": "strict hosts, as they were worded in 2019",
    "Private subscriptions are currently unavailable": "fault",
    "EGeneral:Internal error": "fault",
    "EDatabase:Internal error": "fault",
    "EGeneral:Too many requests": "fault",
    "EService: Throttled: <unix time>": "fault: calls are answered one by one, so none is one too many",
    "EAuth:Account temporary disabled": "fault",
    "EAuth:Account unconfirmed": "fault",
    "EAuth:Rate limit exceeded": "fault",
    "EAuth:Too many requests": "fault",
    "EAccount:Invalid permissions": "fault: no account here lives anywhere",
    "EAPI:Invalid token": "fault: clients expect it, recordings have `ESession:Invalid session`",
    "EAPI:Permission denied": "fault: clients expect it, recordings have `EGeneral:Permission denied`",
    "ETrade:Invalid request": "fault",
    "EOrder:Insufficient margin": "fault: the pool of the local Kraken lends without end",
    "EOrder:Margin allowance exceeded": "fault: no figure of an allowance is documented",
    "EOrder:Cannot open opposing position": "fault: an order on the other side closes first",
    "EOrder:Positions limit exceeded": "fault: no figure is documented",
    "EOrder:Scheduled orders limit exceeded": "fault: no figure is documented",
    "EOrder:Reduce only:Position is closed": "the reason of a cancellation, unit tests of margin",
}
"""Texts that take more than a request, and what they take."""

NEVER: Final = {
    f"{INVALID}:no_mpp order option is only available when ordertype = market": "no_mpp is deprecated: a warning",
    "EOrder:Reduce only:Non-PC": "a rule for Canadian residents; no account here lives anywhere",
    "EBM:limit exceeded:CAL": "a rule for Canadian residents; no account here lives anywhere",
    "EFunding:Max fee exceeded": "withdrawals are not part of spot trading",
    "Already subscribed on v1": "recordings show a second subscription confirmed like the first",
    "Subscription ohlc requires interval": "listed, but the interval is 1 where none is given",
}
"""Texts that cannot come about on the local Kraken, and why."""
