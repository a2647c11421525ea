"""What the venue asks of an order, as one table: each rule with the words it refuses with, in the order it looks.

First what any order must be like, then what the instrument asks; what takes
the market or the account to know - relative prices, funds, trading modes - is
the venue's to judge. The words are those of v2. `order_checks` applies the
rules. Source: v2 reference, sections 8.1, 8.2 and 12.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from decimal import Decimal
from typing import Any, Final

import msgspec

from krakenwire import limits
from krakenwire.model import AddOrder, Conditional, Instrument, PriceType, Trigger
from krakenwire.protocol.flat_orders import LIMITED, TRIGGERED
from krakenwire.protocol.v2 import venue_values as words

__all__ = [
    "CONSISTENCY",
    "FLAT_FORM",
    "FORM",
    "INVALID",
    "INVALID_PRICE",
    "SIZES",
    "TERMS",
    "TICK",
    "TIMES",
    "Rule",
    "beyond",
    "off_step",
    "unfit_id",
    "unfit_userref",
    "wrong_price",
]

INVALID: Final = "EGeneral:Invalid arguments"
TICK: Final = "EOrder:Tick size check failed"
INVALID_PRICE: Final = "EOrder:Invalid price"

_SECOND: Final = 1_000_000_000
_MONTH_NS: Final = 31 * 86_400 * _SECOND
_SLICES: Final = 15
_USERREF: Final = range(-(1 << 31), 1 << 31)
_TRAILING: Final = ("trailing-stop", "trailing-stop-limit")
_CLOSES: Final = ("limit", *TRIGGERED)
_AT_ONCE: Final = ("ioc", "fok")


class Rule(msgspec.Struct, frozen=True):
    """One thing the venue asks for.

    Args:
        error: the words it refuses with.
        what: the member concerned.
        expected: what would be taken; ``{i.price_increment}`` stands for a member of the instrument.
        broken: whether it is not so; told the order, and the instrument or the time where the table says so.
        v2_only: whether v1 and REST ask for no such thing.
    """

    error: str
    what: str
    expected: str
    broken: Callable[..., bool]
    v2_only: bool = False


# -- values ------------------------------------------------------------------------


def beyond(value: Decimal | None, *, signed: bool = False) -> bool:
    """Return whether a number is not finite, longer than any asset has units, or below zero where it may not be."""
    if value is None:
        return False
    if not value.is_finite() or value.adjusted() >= limits.VENUE_NUMBER_DIGITS_MAX:
        return True
    return not signed and value < 0


def unfit_id(text: str | None) -> bool:
    """Return whether a text is neither a UUID, 32 hex digits nor short ASCII."""
    return text is not None and words.CLIENT_ID.fullmatch(text) is None


def unfit_userref(value: int | None) -> bool:
    """Return whether a tag does not have 32 bits."""
    return value is not None and value not in _USERREF


def off_step(value: Decimal | None, step: Decimal) -> bool:
    """Return whether a value is no multiple of a step."""
    return value is not None and value % step != 0


def wrong_price(value: Decimal | None, kind: PriceType | None, step: Decimal) -> str | None:
    """Return what an absolute price is refused with; a relative one is the venue's to judge."""
    if value is None or kind != "static":
        return None
    if off_step(value, step):
        return TICK
    return INVALID_PRICE if value <= 0 else None


def _word(member: str, known: Container[object], error: str) -> Rule:
    return Rule(f"{INVALID}:{error}", member, "one of the venue's words", lambda o: getattr(o, member) not in known)


def _number(member: str, error: str, *, signed: bool = False) -> Rule:
    expected = "a finite number" if signed else "a finite number of zero or more"
    return Rule(f"{INVALID}:{error}", member, expected, lambda o: beyond(getattr(o, member), signed=signed))


# -- any order -----------------------------------------------------------------------


def _of_trigger(broken: Callable[[Trigger], bool]) -> Callable[[AddOrder], bool]:
    return lambda order: order.triggers is not None and broken(order.triggers)


def _of_close(broken: Callable[[Conditional], bool]) -> Callable[[AddOrder], bool]:
    return lambda order: order.conditional is not None and broken(order.conditional)


def _has(value: Any) -> bool:
    return value is not None


_PRICE: Final = f"{INVALID}:price"
_VOLUME: Final = f"{INVALID}:volume"
_DISPLAY: Final = f"{INVALID}:displayvol"
_IN_FORCE: Final = f"{INVALID}:timeinforce"

FORM: Final = (
    _word("order_type", words.ORDER_TYPES, "ordertype"),
    _word("side", words.SIDES, "type"),
    Rule(INVALID, "order_qty", "order_qty or cash_order_qty", lambda o: _has(o.order_qty) and _has(o.cash_order_qty)),
    Rule(
        "Order_qty(s) not found",
        "order_qty",
        "order_qty or cash_order_qty",
        lambda o: not _has(o.order_qty) and not _has(o.cash_order_qty),
    ),
    Rule(_PRICE, "triggers", "a finite price", _of_trigger(lambda t: beyond(t.price, signed=True))),
    Rule(_PRICE, "triggers", "a known price_type", _of_trigger(lambda t: t.price_type not in words.PRICE_TYPES)),
    Rule(
        f"{INVALID}:trigger",
        "triggers",
        "a known reference",
        _of_trigger(lambda t: t.reference not in words.REFERENCES),
    ),
    Rule(
        "Limit_price(s) not found",
        "limit_price",
        "one with this order type",
        lambda o: o.order_type in LIMITED and not _has(o.limit_price),
    ),
    Rule(
        "Triggers(s) not found",
        "triggers",
        "them with this order type",
        lambda o: o.order_type in TRIGGERED and not _has(o.triggers),
    ),
    Rule(
        "Display_qty(s) not found",
        "display_qty",
        "one with an iceberg",
        lambda o: o.order_type == "iceberg" and not _has(o.display_qty),
    ),
    Rule(INVALID, "cl_ord_id", "none beside an order_userref", lambda o: _has(o.cl_ord_id) and _has(o.order_userref)),
    _word("time_in_force", words.TIMES_IN_FORCE, "timeinforce"),
    Rule(
        "Expire_time(s) not found",
        "expire_time_ns",
        "one with gtd",
        lambda o: o.time_in_force == "gtd" and not o.expire_time_ns,
    ),
    _number("order_qty", "volume"),
    _number("cash_order_qty", "volume"),
    _number("limit_price", "price", signed=True),
    _word("limit_price_type", words.PRICE_TYPES, "price"),
    Rule(
        _PRICE,
        "limit_price_type",
        "static but for a trailing-stop-limit",
        lambda o: o.limit_price_type != "static" and o.order_type != "trailing-stop-limit",
        v2_only=True,
    ),
    _number("display_qty", "displayvol"),
    _word("fee_preference", (None, *words.FEE_PREFERENCES), "oflags"),
    _word("stp_type", words.PREVENTIONS, "stptype"),
    Rule(
        f"{INVALID}:cl_ord_id",
        "cl_ord_id",
        f"a UUID, 32 hex digits or at most {limits.FREE_ID_CHARS_MAX} ASCII characters",
        lambda o: unfit_id(o.cl_ord_id),
    ),
    Rule(f"{INVALID}:userref", "order_userref", "32 bits, signed", lambda o: unfit_userref(o.order_userref)),
    Rule(
        f"{INVALID}:ordertype",
        "conditional",
        "an order type that can close",
        _of_close(lambda c: c.order_type not in _CLOSES),
    ),
    Rule(
        "Limit_price(s) not found",
        "conditional",
        "a limit_price with this order type",
        _of_close(lambda c: c.order_type in LIMITED and not _has(c.limit_price)),
    ),
    Rule(
        "Trigger_price(s) not found",
        "conditional",
        "a trigger_price with this order type",
        _of_close(lambda c: c.order_type in TRIGGERED and not _has(c.trigger_price)),
    ),
    Rule(_PRICE, "conditional", "a finite limit_price", _of_close(lambda c: beyond(c.limit_price, signed=True))),
    Rule(
        _PRICE,
        "conditional",
        "a known limit_price_type",
        _of_close(lambda c: c.limit_price_type not in words.PRICE_TYPES),
    ),
    Rule(
        _PRICE,
        "conditional",
        "a limit_price_type that is static but for a trailing-stop-limit",
        _of_close(lambda c: c.limit_price_type != "static" and c.order_type != "trailing-stop-limit"),
        v2_only=True,
    ),
    Rule(_PRICE, "conditional", "a finite trigger_price", _of_close(lambda c: beyond(c.trigger_price, signed=True))),
    Rule(
        _PRICE,
        "conditional",
        "a known trigger_price_type",
        _of_close(lambda c: c.trigger_price_type not in words.PRICE_TYPES),
    ),
    Rule(f"{INVALID}:sender_sub_id", "sender_sub_id", "the form of a cl_ord_id", lambda o: unfit_id(o.sender_sub_id)),
)
"""Of each order alone: what the venue's gateway asks, before anybody looks at the market."""

FLAT_FORM: Final = tuple(rule for rule in FORM if not rule.v2_only)
"""As `FORM`, on v1 and REST."""


def _cash_elsewhere(order: AddOrder) -> bool:
    plain = order.order_type == "market" and order.side == "buy" and not (order.margin or order.leverage)
    return order.cash_order_qty is not None and not plain


CONSISTENCY: Final = (
    Rule(_VOLUME, "cash_order_qty", "only a market buy without margin", _cash_elsewhere),
    Rule(
        _PRICE,
        "limit_price",
        "none with this order type",
        lambda o: _has(o.limit_price) and o.order_type not in LIMITED,
    ),
    Rule(_PRICE, "triggers", "none with this order type", lambda o: _has(o.triggers) and o.order_type not in TRIGGERED),
    Rule(
        _DISPLAY,
        "display_qty",
        "only an iceberg",
        lambda o: _has(o.display_qty) and o.order_type != "iceberg",
    ),
    Rule(
        f"{INVALID}:oflags",
        "post_only",
        "only types with a limit",
        lambda o: o.post_only and o.order_type not in LIMITED,
    ),
    Rule(
        _IN_FORCE, "time_in_force", "gtc or gtd with post_only", lambda o: o.post_only and o.time_in_force in _AT_ONCE
    ),
    Rule(
        _IN_FORCE,
        "time_in_force",
        "fok only with a limit order",
        lambda o: o.time_in_force == "fok" and o.order_type != "limit",
    ),
    Rule(
        f"{INVALID}:expiretm",
        "expire_time_ns",
        "only with gtd",
        lambda o: _has(o.expire_time_ns) and o.time_in_force != "gtd",
    ),
    Rule(
        _IN_FORCE,
        "time_in_force",
        "gtc or gtd with an iceberg",
        lambda o: o.order_type == "iceberg" and o.time_in_force in _AT_ONCE,
    ),
    Rule(
        f"{INVALID}:cl_ord_id",
        "cl_ord_id",
        "none beside a conditional close",
        lambda o: _has(o.conditional) and _has(o.cl_ord_id),
    ),
    Rule(f"{INVALID}:leverage", "leverage", "none beside margin", lambda o: o.margin and _has(o.leverage)),
    Rule(
        f"{INVALID}:close",
        "conditional",
        "gtc or gtd with a conditional close",
        lambda o: _has(o.conditional) and o.time_in_force in _AT_ONCE,
    ),
)
"""Of each order alone: which options go together."""


# -- what the instrument asks -----------------------------------------------------------


def _limit_is(error: str) -> Callable[[AddOrder, Instrument], bool]:
    return lambda o, i: wrong_price(o.limit_price, o.limit_price_type, i.price_increment) == error


def _trigger_is(error: str) -> Callable[[AddOrder, Instrument], bool]:
    return lambda o, i: _wrong_trigger(o, i) == error


def _wrong_trigger(order: AddOrder, instrument: Instrument) -> str | None:
    """What a trigger is refused with: an absolute price as any other, a distance by what it is a distance of."""
    trigger = order.triggers
    if trigger is None:
        return None
    if order.order_type in _TRAILING and (trigger.price_type == "static" or trigger.price <= 0):
        return INVALID_PRICE
    if trigger.price_type == "static":
        return wrong_price(trigger.price, "static", instrument.price_increment)
    step = Decimal("0.01") if trigger.price_type == "pct" else instrument.price_increment
    return TICK if off_step(trigger.price, step) else None


def _too_small_a_slice(order: AddOrder) -> bool:
    if order.display_qty is None or order.order_qty is None:
        return False
    return order.display_qty > order.order_qty or order.display_qty * _SLICES < order.order_qty


def _below_cost(order: AddOrder, instrument: Instrument) -> bool:
    """Whether price times quantity is too little, where both are said."""
    price = order.limit_price if order.limit_price_type == "static" else None
    if price is None and order.triggers is not None and order.triggers.price_type == "static":
        price = order.triggers.price
    if price is None or order.order_qty is None or instrument.cost_min is None:
        return False
    return price * order.order_qty < instrument.cost_min


_TICKS: Final = "a multiple of {i.price_increment}"

TERMS: Final = (
    Rule(TICK, "limit_price", _TICKS, _limit_is(TICK)),
    Rule(INVALID_PRICE, "limit_price", "one above zero", _limit_is(INVALID_PRICE)),
    Rule(_VOLUME, "cash_order_qty", "one above zero", lambda o, _i: o.cash_order_qty == 0),
    Rule(
        _VOLUME,
        "order_qty",
        "a multiple of {i.qty_increment} above zero",
        lambda o, i: o.order_qty == 0 or off_step(o.order_qty, i.qty_increment),
    ),
    Rule(
        _DISPLAY,
        "display_qty",
        "a multiple of {i.qty_increment} above zero",
        lambda o, i: o.display_qty == 0 or off_step(o.display_qty, i.qty_increment),
    ),
    Rule(_DISPLAY, "display_qty", "from a fifteenth of the quantity to all of it", lambda o, _i: _too_small_a_slice(o)),
)
"""Of an order and its instrument: prices and quantities."""

TIMES: Final = (
    Rule(
        f"{INVALID}:starttm",
        "effective_time_ns",
        "from now on, and within a month",
        lambda o, now_ns: bool(o.effective_time_ns) and not now_ns <= o.effective_time_ns <= now_ns + _MONTH_NS,
    ),
    Rule(
        f"{INVALID}:expiretm",
        "expire_time_ns",
        "after now and the start, within a month",
        lambda o, now_ns: (
            bool(o.expire_time_ns)
            and not max(now_ns, o.effective_time_ns or 0) < o.expire_time_ns <= now_ns + _MONTH_NS
        ),
    ),
)
"""Of an order and the time."""

SIZES: Final = (
    Rule(
        f"{INVALID}:Index unavailable",
        "triggers",
        "last, as the instrument has no index",
        lambda o, i: _has(o.triggers) and o.triggers.reference == "index" and not i.has_index,
    ),
    Rule(INVALID_PRICE, "triggers", "a price above zero, of a trailing order a distance", _trigger_is(INVALID_PRICE)),
    Rule(TICK, "triggers", _TICKS + ", of percents hundredths", _trigger_is(TICK)),
    Rule(
        TICK,
        "limit_price",
        _TICKS,
        lambda o, i: o.limit_price_type == "quote" and off_step(o.limit_price, i.price_increment),
    ),
    Rule(
        f"{INVALID}:volume minimum not met",
        "order_qty",
        "at least {i.qty_min}",
        lambda o, i: _has(o.order_qty) and o.order_qty < i.qty_min,
    ),
    Rule("EOrder:Cost minimum not met", "order_qty", "a cost of at least {i.cost_min}", _below_cost),
)
"""Of an order and its instrument: triggers and minimums."""
