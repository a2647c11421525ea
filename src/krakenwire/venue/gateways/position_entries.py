"""Margin and volume as REST tells them: `OpenPositions`, `TradeBalance`, `TradeVolume`."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from krakenwire.errors import SymbolError
from krakenwire.model.numbers import fixed_text
from krakenwire.protocol import rest
from krakenwire.protocol.descriptions import fixed
from krakenwire.protocol.flat_values import Declined, flag
from krakenwire.protocol.rest import Json
from krakenwire.protocol.rest_body import items
from krakenwire.protocol.symbols import to_v2
from krakenwire.venue.front import Front
from krakenwire.venue.text_ids import TextIds
from krakenwire.venue.trading import Account
from krakenwire.venue.trading.desk import Desk
from krakenwire.venue.trading.margin import Margin
from krakenwire.venue.trading.positions import Position
from krakenwire.venue.trading.terms import PPM

__all__ = ["open_positions", "trade_balance", "trade_volume"]

_SECOND = 1_000_000_000
_IDS = TextIds("T", "positions")
_TERMS = "0.0200% per 4 hours"
_ELSEWHERE: Final = {"domain_futures_volume_30d": "0.0000", "domain_assets_on_platform": "0.0000"}
"""What fees also go by, and nobody has here."""

Params = Mapping[str, str]


def trade_balance(front: Front, account: Account) -> Json:
    """Return the result of `TradeBalance`, in US dollars."""
    figures = front.exchange.margin.figures(account)
    shown = {
        "eb": figures.equivalent,
        "tb": figures.balance,
        "m": figures.used,
        "uv": figures.pending,
        "n": figures.net,
        "c": figures.cost,
        "v": figures.value,
        "e": figures.equity,
        "mf": figures.free,
        "ml": figures.level,
    }
    return {name: f"{Margin.rounded(value):f}" for name, value in shown.items() if value is not None}


def open_positions(front: Front, account: Account, params: Params) -> Json:
    """Return the result of `OpenPositions`; ``docalcs`` adds what each is worth, ``txid`` asks for some."""
    wanted, worth = set(items(params, "txid")), flag(params, "docalcs")
    shown: dict[str, Json] = {}
    for position in front.exchange.positions.of(account):
        position_id = _IDS.text(position.number)
        if not wanted or position_id in wanted:
            shown[position_id] = _position(front, position, worth)
    return shown


def _position(front: Front, position: Position, worth: bool) -> Json:
    order, terms = position.order, position.order.desk.terms
    pair, price = front.pairs[position.order.symbol], position.order.desk.market.last_price
    decimals = terms.instrument.qty_precision

    def money(units: int) -> str:
        return fixed(Decimal(units).scaleb(-terms.quote_decimals), pair.cost_decimals)

    entry: dict[str, Json] = {
        "ordertxid": order.order_id,
        "posstatus": "open",
        "pair": pair.rest_key,
        "time": position.opened_ns // _SECOND,
        "type": position.side,
        "ordertype": order.order_type,
        "cost": money(position.cost),
        "fee": money(position.fee),
        "vol": fixed_text(position.qty, decimals),
        "vol_closed": fixed_text(position.closed, decimals),
        "margin": money(position.margin_left),
        "terms": _TERMS,
        "rollovertm": str(position.rollover_ns // _SECOND),
        "misc": "",
        "oflags": "",
    }
    if worth:
        net = position.net(price)
        entry |= {"value": money(position.value(price)), "net": ("+" if net >= 0 else "") + money(net)}
    return entry


def trade_volume(front: Front, account: Account, params: Params, now_ns: int) -> Json:
    """Return the result of `TradeVolume`; ``pair`` asks for the fees of some pairs.

    Raises:
        Declined: a pair that is not listed.
    """
    volume = f"{fixed_text(account.volume.cents(now_ns), 2)}00"
    result: dict[str, Json] = {
        "currency": "ZUSD",
        "asset_class": "currency",
        "volume": volume,
        "inputs": {"domain_spot_volume_30d": volume, **_ELSEWHERE},
    }
    desks = [_desk(front, name) for name in items(params, "pair")]
    if desks:
        result["fees"] = {front.pairs[desk.symbol].rest_key: _tier(desk, account, now_ns, 0) for desk in desks}
        result["fees_maker"] = {front.pairs[desk.symbol].rest_key: _tier(desk, account, now_ns, 1) for desk in desks}
    return result


def _desk(front: Front, name: str) -> Desk:
    try:
        return front.exchange.desks[to_v2(name.strip(), front.exchange.desks)]
    except SymbolError:
        raise Declined(rest.UNKNOWN_PAIR) from None


def _tier(desk: Desk, account: Account, now_ns: int, side: int) -> Json:
    """What taker (0) or maker (1) pays now, and from which volume on less."""
    rows = desk.terms.instrument.fees_maker if side else desk.terms.instrument.fees_taker
    fee = Decimal(desk.rates(account, now_ns)[side]) * 100 / PPM
    volume = account.volume.dollars(now_ns)
    following = next(((above, percent) for above, percent in rows if above > volume), None)
    reached = max((above for above, _ in rows if above <= volume), default=0)
    percents = [percent for _, percent in rows] or [fee]
    return {
        "fee": fixed(fee, 4),
        "minfee": fixed(min(percents), 4),
        "maxfee": fixed(max(percents), 4),
        "nextfee": None if following is None else fixed(following[1], 4),
        "nextvolume": None if following is None else fixed(Decimal(following[0]), 4),
        "tiervolume": fixed(Decimal(reached), 4),
    }
