"""What concerns all v2 clients alike: which instruments are listed, and the trading mode.

Topics like those of `topics_v2`, but of the venue instead of one market. The
facts come from `instruments`; here they get the form and the zeros of the
wire. Source: v2 reference, sections 6.6 and 6.7.
"""

from __future__ import annotations

from decimal import Decimal

from krakenwire.model import Asset, Instrument, Instruments, Status, Subscription
from krakenwire.protocol.v2 import encode
from krakenwire.venue.gateways.publisher import Topic
from krakenwire.venue.gateways.topics_v2 import topic_key
from krakenwire.venue.market.instruments import VenueAsset, VenueInstrument
from krakenwire.venue.venue import Venue

__all__ = ["instrument_topic", "status_event", "status_topic"]


class _InstrumentTopic:
    """`instrument`: what is listed. It does not change while a venue lives."""

    key = topic_key(Subscription(channel="instrument"))
    symbol = None

    def __init__(self, venue: Venue) -> None:
        money = {asset.id: asset.display_decimals for asset in venue.assets}
        self._event = Instruments(
            kind="snapshot",
            assets=tuple(map(_asset, venue.assets)),
            pairs=tuple(_pair(pair, money[pair.quote]) for pair in venue.instruments),
        )

    def snapshot(self, now_ns: int) -> list[str]:
        del now_ns
        return [encode.instruments(self._event)]

    def advance(self, now_ns: int) -> list[str]:
        del now_ns
        return []


class _StatusTopic:
    """`status`: tells every connection when the trading mode changes."""

    key = topic_key(Subscription(channel="status"))
    symbol = None

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._revision = venue.status_revision

    def snapshot(self, now_ns: int) -> list[str]:
        del now_ns
        return [encode.status(status_event(self._venue, None))]

    def advance(self, now_ns: int) -> list[str]:
        if self._venue.status_revision == self._revision:
            return []
        self._revision = self._venue.status_revision
        return self.snapshot(now_ns)


def instrument_topic(venue: Venue) -> Topic:
    """Return the topic of what is listed."""
    return _InstrumentTopic(venue)


def status_topic(venue: Venue) -> Topic:
    """Return the topic of the trading mode, which every connection follows."""
    return _StatusTopic(venue)


def status_event(venue: Venue, connection_id: int | None) -> Status:
    """Return the trading mode, with the id of the connection it is told to; changes name none."""
    return Status(system=venue.status, version=venue.config.version_v2, api_version="v2", connection_id=connection_id)


def _asset(asset: VenueAsset) -> Asset:
    return Asset(
        id=asset.id,
        status=asset.status,
        precision=asset.decimals,
        precision_display=asset.display_decimals,
        borrowable=asset.borrowable,
        collateral_value=asset.collateral_value,
        margin_rate=None if asset.margin_rate is None else _padded(asset.margin_rate, 6),
    )


def _pair(pair: VenueInstrument, quote_display: int) -> Instrument:
    """The wire pads minimums: quantities to the lot, costs to what people see of the quote asset."""
    return Instrument(
        symbol=pair.symbol,
        base=pair.base,
        quote=pair.quote,
        status=pair.status,
        price_precision=pair.price_precision,
        qty_precision=pair.qty_precision,
        cost_precision=pair.cost_precision,
        price_increment=pair.price_increment,
        qty_increment=pair.qty_increment,
        qty_min=_padded(pair.qty_min, pair.qty_precision),
        cost_min=_padded(pair.cost_min, quote_display),
        marginable=pair.marginable,
        has_index=pair.has_index,
        margin_initial=pair.margin_initial,
        position_limit_long=pair.position_limit_long if pair.marginable else None,
        position_limit_short=pair.position_limit_short if pair.marginable else None,
    )


def _padded(value: Decimal, decimals: int) -> Decimal:
    """The same value with trailing zeros up to some decimals; digits it has beyond them stay."""
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int)
    return value.quantize(Decimal(1).scaleb(min(exponent, -decimals)))
