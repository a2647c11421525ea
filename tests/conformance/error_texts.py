"""Every documented error text, and how it comes about on the local Kraken: the table of `test_error_texts`.

Texts of the engine come from requests about orders, the same on each version
that can say them (`ORDERS`), or are why an order was canceled (`REASONS`);
texts of the gateways from frames and calls as they stand, which are in
`error_frames`, and from whoever calls (`CALLERS`). `FAULTS` are said when they are fired, as
nothing else here would bring them about, `NEVER` those that cannot occur, each
with the reason. Source: v1 reference, sections 6 and 11; v2 reference,
sections 4, 5, 11 and 12.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final, Literal, NamedTuple

from msgspec import structs
from tests.conformance.error_frames import INVALID, NEVER_GIVEN
from tests.conformance.house import SECOND, VERSIONS, Door, House, Version

from krakenwire.model import (
    AmendOrder,
    CancelAll,
    CancelAllAfter,
    CancelOrders,
    EditOrder,
    TradingRequest,
    Trigger,
)
from krakenwire.protocol.rest_body import form_body
from krakenwire.protocol.rest_sign import SignedCall

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


# -- who calls ------------------------------------------------------------------------


class Caller(NamedTuple):
    """A call that is refused for who makes it, or how often.

    Args:
        text: what with.
        call: makes it, after whatever has to come before it; returns the answer.
    """

    text: str
    call: Callable[[House], Any]


def _signed(key: str | None, signature: str | None) -> Callable[[House], Any]:
    def call(house: House) -> Any:
        body = form_body({"nonce": house.nonce()})
        return house.signed(SignedCall("/0/private/Balance", key, signature, body, "", "127.0.0.1"))

    return call


def _again(times: int, call: Callable[[House], Any]) -> Callable[[House], Any]:
    """The last of so many calls."""
    return lambda house: [call(house) for _ in range(times)][-1]


def _replayed(house: House) -> Any:
    body = form_body({"nonce": house.nonce()})
    assert house.call("ann", "Balance", body)["error"] == []
    return house.call("ann", "Balance", body)


CALLERS: Final = (
    Caller("EAPI:Invalid key", _signed("nobody", "")),
    Caller("EAPI:Invalid key", _signed(None, None)),
    Caller("EAPI:Invalid signature", _signed("ann", "AAAA")),
    Caller("EAPI:Invalid nonce", _replayed),
    Caller("EAPI:Invalid nonce", lambda house: house.call("ann", "Balance", b"")),
    Caller("EAPI:Rate limit exceeded", _again(4, lambda house: house.rest("hasty", "Balance"))),
    Caller("EGeneral:Temporary lockout", _again(25, _signed("nobody", ""))),
)


# -- why an order was canceled ------------------------------------------------------------


class Reason(NamedTuple):
    """A text that is told as the reason of a cancellation.

    Args:
        text: as it is listed.
        told: as it is told.
        ended: places an order and has it canceled; returns its id.
        by: whose order.
    """

    text: str
    told: str
    ended: Callable[[Door], str]
    by: str


_AT_MARKET: Final = {"order_type": "market", "limit_price": None, "margin": True}


def _position_closed(door: Door) -> str:
    door.place(**_AT_MARKET)
    order_id = door.place(side="sell", margin=True, reduce_only=True, limit_price=_through(door, Decimal(2)))
    door.place(**_AT_MARKET, side="sell")
    return order_id


REASONS: Final = (
    Reason("EOrder:Reduce only:Position is closed", "Reduce only: Position is closed", _position_closed, by="tycoon"),
)


# -- what has to be fired -------------------------------------------------------------------


class Fault(NamedTuple):
    """A text that nothing brings about here but a fault.

    Args:
        text: what is said.
        why: nothing else does.
        asks: what it refuses: ``add_order``, a private or a public ``subscription``, or the ``Balance``.
        on: versions that say it.
    """

    text: str
    why: str
    asks: Literal["add_order", "private", "public", "Balance"] = "add_order"
    on: tuple[Version, ...] = VERSIONS


_NO_FAILURE: Final = "a failure inside the real service"
_ONE_BY_ONE: Final = "calls are answered one by one: none is one too many"
_NO_FIGURE: Final = "no figure is documented"
_ALWAYS_CONFIRMED: Final = "accounts here are confirmed, enabled and without a limit on signing in"
_OTHER_WORDS: Final = "clients expect it, recordings have another word for it"
_SOCKETS: Final[tuple[Version, ...]] = ("v1", "v2")

FAULTS: Final = (
    Fault("Private subscriptions are currently unavailable", _NO_FAILURE, asks="private", on=_SOCKETS),
    Fault(
        "Public channels not available in this endpoint",
        "the text of 2019; strict hosts say it as it was recorded since",
        asks="public",
        on=("v1",),
    ),
    Fault("EGeneral:Internal error", _NO_FAILURE),
    Fault("EDatabase:Internal error", _NO_FAILURE),
    Fault("EGeneral:Too many requests", "calls are counted per key, which has a text of its own", "Balance", ("rest",)),
    Fault("EService: Throttled: 1790000000", _ONE_BY_ONE, "Balance", ("rest",)),
    Fault("EAuth:Account temporary disabled", _ALWAYS_CONFIRMED, "Balance", ("rest",)),
    Fault("EAuth:Account unconfirmed", _ALWAYS_CONFIRMED, "Balance", ("rest",)),
    Fault("EAuth:Rate limit exceeded", _ALWAYS_CONFIRMED, "Balance", ("rest",)),
    Fault("EAuth:Too many requests", _ALWAYS_CONFIRMED, "Balance", ("rest",)),
    Fault("EAccount:Invalid permissions", "no account here lives anywhere"),
    Fault("EAPI:Invalid token", f"{_OTHER_WORDS}: `ESession:Invalid session`", on=_SOCKETS),
    Fault("EAPI:Permission denied", f"{_OTHER_WORDS}: `EGeneral:Permission denied`", "Balance", ("rest",)),
    Fault("ETrade:Invalid request", "what is wrong with a request has a text of its own"),
    Fault("EOrder:Insufficient margin", "the pool of the local Kraken lends without end"),
    Fault("EOrder:Margin allowance exceeded", _NO_FIGURE),
    Fault("EOrder:Cannot open opposing position", "an order on the other side closes first"),
    Fault("EOrder:Positions limit exceeded", _NO_FIGURE),
    Fault("EOrder:Scheduled orders limit exceeded", _NO_FIGURE),
)


# -- what cannot be said -----------------------------------------------------------------------

NEVER: Final = {
    f"{INVALID}:no_mpp order option is only available when ordertype = market": "no_mpp is deprecated: a warning",
    "EOrder:Reduce only:Non-PC": "a rule for Canadian residents; no account here lives anywhere",
    "EBM:limit exceeded:CAL": "a rule for Canadian residents; no account here lives anywhere",
    "EFunding:Max fee exceeded": "withdrawals are not part of spot trading",
    "Already subscribed on v1": "recordings show a second subscription confirmed like the first",
    "Subscription ohlc requires interval": "listed, but the interval is 1 where none is given",
}
"""Texts that cannot come about on the local Kraken, and why."""
