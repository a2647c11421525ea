"""Public REST answers as JSON text: the envelope, and how each kind of number and time is written.

Knows texts, not markets: callers pass digits and integers. Prices and
volumes are JSON strings; no float is involved. What answers which call is in
`krakenwire.venue.gateways.public_rest`. Source: v2 reference, section 11.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from decimal import Decimal
from typing import Final, TypeAlias

import msgspec

from krakenwire.model.market import OrderSide
from krakenwire.model.numbers import fixed_text

__all__ = [
    "INVALID_ARGUMENTS",
    "INVALID_KEY",
    "PRICE_DECIMALS",
    "UNAVAILABLE",
    "UNKNOWN_ASSET",
    "UNKNOWN_METHOD",
    "UNKNOWN_PAIR",
    "Json",
    "candle_row",
    "depth_row",
    "error_text",
    "number",
    "padded",
    "result_text",
    "rfc1123_text",
    "rounded",
    "spread_row",
    "trade_row",
    "trimmed",
]

INVALID_ARGUMENTS: Final = "EGeneral:Invalid arguments"
INVALID_KEY: Final = "EAPI:Invalid key"
UNAVAILABLE: Final = "EService:Unavailable"
UNKNOWN_ASSET: Final = "EQuery:Unknown asset"
UNKNOWN_METHOD: Final = "EGeneral:Unknown method"
UNKNOWN_PAIR: Final = "EQuery:Unknown asset pair"

_SECOND: Final = 1_000_000_000
PRICE_DECIMALS: Final = 5
"""Prices in Depth, Trades, Ticker and Spread are padded to this many."""
_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

Json: TypeAlias = "msgspec.Raw | str | int | Sequence[Json] | dict[str, Json] | None"
"""What an answer is built from; numbers with decimals are `Raw` (see `number`)."""

_encoder = msgspec.json.Encoder()


def result_text(result: Json) -> str:
    """Return the envelope of a success."""
    return _encoder.encode({"error": [], "result": result}).decode()


def error_text(error: str) -> str:
    """Return the envelope of a failure: no `result`, and the HTTP status stays 200."""
    return _encoder.encode({"error": [error]}).decode()


def padded(value: int, decimals: int, least: int) -> str:
    """Return fixed-point text of a scaled integer with at least `least` decimals: ``105944.30000``."""
    more = max(0, least - decimals)
    return fixed_text(value * int(10**more), decimals + more)


def trimmed(value: Decimal) -> str:
    """Return fixed-point text without trailing zeros: ``0.00005``, ``13``."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def number(value: Decimal) -> msgspec.Raw:
    """Return a JSON number with one decimal at least: ``0.4``, ``0.0``."""
    text = trimmed(value)
    return msgspec.Raw((text if "." in text else text + ".0").encode())


def rounded(value: int, decimals: int, shown: int) -> str:
    """Return fixed-point text with fewer decimals, rounded half up; what is there never reads as zero."""
    if decimals <= shown:
        return padded(value, decimals, shown)
    unit = int(10 ** (decimals - shown))
    return fixed_text(max((2 * value + unit) // (2 * unit), 1 if value else 0), shown)


def rfc1123_text(now_ns: int) -> str:
    """Return the time as `Time` writes it: ``Tue, 11 Nov 25 00:17:04 +0000``, in no locale but English."""
    at = time.gmtime(now_ns // _SECOND)
    return (
        f"{_DAYS[at.tm_wday]}, {at.tm_mday:02} {_MONTHS[at.tm_mon - 1]} {at.tm_year % 100:02}"
        f" {at.tm_hour:02}:{at.tm_min:02}:{at.tm_sec:02} +0000"
    )


def depth_row(price: int, qty: int, decimals: tuple[int, int], time_ns: int) -> list[Json]:
    """Return one level of `Depth`: prices padded to five decimals, volumes to three, each scaled by its `decimals`."""
    return [padded(price, decimals[0], PRICE_DECIMALS), rounded(qty, decimals[1], 3), time_ns // _SECOND]


def trade_row(
    price: int, qty: int, decimals: tuple[int, int], time_ns: int, side: OrderSide, ord_type: str, trade_id: int
) -> list[Json]:
    """Return one row of `Trades`: seven members, the trade id last, the time with seven digits at most."""
    seconds, fraction = divmod(time_ns, _SECOND)
    digits = f"{fraction // 100:07d}".rstrip("0") or "0"
    return [
        padded(price, decimals[0], PRICE_DECIMALS),
        fixed_text(qty, decimals[1]),
        msgspec.Raw(f"{seconds}.{digits}".encode()),
        side[0],
        ord_type[0],
        "",
        trade_id,
    ]


def candle_row(begin_ns: int, prices: Sequence[int], volume: int, decimals: tuple[int, int], trades: int) -> list[Json]:
    """Return one row of `OHLC`; `prices` are open, high, low, close, vwap, and without volume the vwap is ``0.0``."""
    texts = [fixed_text(price, decimals[0]) for price in prices]
    if not volume:
        texts[4] = "0.0"
    return [begin_ns // _SECOND, *texts, fixed_text(volume, decimals[1]), trades]


def spread_row(time_ns: int, bid: int, ask: int, decimals: int) -> list[Json]:
    """Return one row of `Spread`: when, best bid, best ask."""
    return [time_ns // _SECOND, padded(bid, decimals, PRICE_DECIMALS), padded(ask, decimals, PRICE_DECIMALS)]
