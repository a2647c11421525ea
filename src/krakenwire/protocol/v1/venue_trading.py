"""The venue's side of v1 trading, inbound: the members of each request into one typed request.

Members are checked strictly, their values leniently: strings, numbers and
booleans all count as their text. Read `flat_orders` for what the texts mean.
Source: v1 reference, sections 10 and 11.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from krakenwire import limits
from krakenwire.errors import SymbolError
from krakenwire.model import (
    AddOrder,
    AmendOrder,
    CancelAll,
    CancelAllAfter,
    CancelOrders,
    EditOrder,
    TradingRequest,
)
from krakenwire.protocol.flat_orders import amend_of, edit_of, order_of
from krakenwire.protocol.flat_values import invalid, require, scalar_text, symbol_or_text, whole
from krakenwire.protocol.symbols import to_v1
from krakenwire.protocol.v2.refusals import Declined
from krakenwire.protocol.v2.venue_values import deadline

__all__ = ["TRADING_EVENTS", "trading_request"]

_Message = Mapping[str, Any]
_Texts = dict[str, str]

_COMMON: Final = ("event", "token", "reqid")


def trading_request(message: _Message, now_ns: int) -> tuple[TradingRequest, str]:
    """Return the request and the token of a message whose event is one of `TRADING_EVENTS`.

    Args:
        message: decoded with `flat_values.exact_text`, without what is null.
        now_ns: for deadlines and times that count from now.

    Raises:
        Declined: with the venue's text.
    """
    event = message["event"]
    members, read = _EVENTS[event]
    for name in message:
        if name not in members and name not in _COMMON:
            raise Declined(f"Unsupported field: '{name}' for the given msg type: {_WORDS[event]}")
    token = message.get("token")
    if not isinstance(token, str) or not token:
        raise Declined("Token(s) not found")
    return read(message, now_ns), token


# -- values ----------------------------------------------------------------------


def _texts(message: _Message, **renamed: str) -> _Texts:
    """The members as texts, some by their REST names."""
    texts: _Texts = {}
    for name, value in message.items():
        text = scalar_text(value)
        if text is None:
            raise invalid(name)
        texts[renamed.get(name, name)] = text
    return texts


def _symbol(pair: str) -> str:
    """The v2 spelling of ``XBT/USD`` or ``BTC/USD``; any other text is left for the exchange to refuse."""
    symbol = symbol_or_text(pair)
    try:
        return symbol if to_v1(symbol) == to_v1(pair) else pair
    except SymbolError:
        return pair


def _ids(message: _Message, name: str) -> tuple[str, ...]:
    """The texts of an array."""
    ids = message.get(name, ())
    if not isinstance(ids, list | tuple) or len(ids) > limits.VENUE_CANCELS_PER_REQUEST_MAX:
        raise invalid(name)
    texts = tuple(scalar_text(item) for item in ids if not isinstance(item, bool))
    if len(texts) != len(ids) or not all(texts):
        raise invalid(name)
    return tuple(text for text in texts if text)


# -- requests --------------------------------------------------------------------


def _add(message: _Message, now_ns: int) -> AddOrder:
    texts = _texts(message, stp_type="stptype")
    texts["stptype"] = texts.get("stptype", "").replace("_", "-")
    require(texts, "pair")
    if texts.get("timeinforce", "").lower() == "fok":
        raise invalid("timeinforce")
    return order_of(texts, _symbol(texts["pair"]), now_ns, deadline(texts, now_ns) if texts.get("deadline") else None)


def _edit(message: _Message, now_ns: int) -> EditOrder:
    texts = _texts(message, orderid="txid", newuserref="userref")
    if not texts.get("txid"):
        raise invalid("orderid")
    require(texts, "pair")
    return edit_of(texts, _symbol(texts["pair"]), now_ns)


def _amend(message: _Message, now_ns: int) -> AmendOrder:
    texts = _texts(message, volume="order_qty", display_volume="display_qty")
    pair = texts.get("pair")
    return amend_of(texts, _symbol(pair) if pair else None, now_ns)


def _cancel(message: _Message, _now_ns: int) -> CancelOrders:
    order_ids, cl_ord_ids = _ids(message, "txid"), _ids(message, "cl_ord_id")
    if not order_ids and not cl_ord_ids:
        raise invalid("txid")
    return CancelOrders(order_ids=order_ids, cl_ord_ids=cl_ord_ids)


def _cancel_all(_message: _Message, _now_ns: int) -> CancelAll:
    return CancelAll()


def _cancel_all_after(message: _Message, _now_ns: int) -> CancelAllAfter:
    timeout_s = whole(_texts(message), "timeout")
    if timeout_s is None:
        raise invalid("timeout")
    if not 0 <= timeout_s < limits.CANCEL_AFTER_S_MAX:
        raise invalid("Invalid timeout argument")
    return CancelAllAfter(timeout_s=timeout_s)


_Reader = Callable[[_Message, int], TradingRequest]

_ORDER_MEMBERS: Final = (
    *("ordertype", "type", "pair", "volume", "price", "price2", "leverage", "margin", "reduce_only", "oflags"),
    *("starttm", "expiretm", "timeinforce", "deadline", "userref", "cl_ord_id", "sender_sub_id", "stp_type"),
    *("validate", "close[ordertype]", "close[price]", "close[price2]"),
)
_EDIT_MEMBERS: Final = ("orderid", "pair", "volume", "price", "price2", "oflags", "newuserref", "validate")
_AMEND_MEMBERS: Final = (
    *("txid", "cl_ord_id", "volume", "display_volume", "limit_price", "trigger_price", "post_only", "pair", "deadline"),
)

_EVENTS: Final[Mapping[str, tuple[tuple[str, ...], _Reader]]] = {
    "addOrder": (_ORDER_MEMBERS, _add),
    "editOrder": (_EDIT_MEMBERS, _edit),
    "amendOrder": (_AMEND_MEMBERS, _amend),
    "cancelOrder": (("txid", "cl_ord_id"), _cancel),
    "cancelAll": ((), _cancel_all),
    "cancelAllOrdersAfter": (("timeout",), _cancel_all_after),
}
"""The members of each request, and what reads them."""

TRADING_EVENTS: Final = tuple(_EVENTS)

_WORDS: Final = {
    "addOrder": "add order",
    "editOrder": "edit order",
    "amendOrder": "amend order",
    "cancelOrder": "cancel order",
    "cancelAll": "cancel all",
    "cancelAllOrdersAfter": "cancel all orders after",
}
"""How refusals call a request; only the first was recorded."""
