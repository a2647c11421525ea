"""Orders and balances for the command line: what would be sent, and what has become of it.

Whether anything may be sent is for the caller to say; see `krakenwire.cli.order`.
The rules of orders are in `session.order_checks`, the client is in `client.blocking`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Final

import msgspec

from krakenwire.apps.kraken import Kraken
from krakenwire.client.clock import now_ns
from krakenwire.client.credentials import Credentials
from krakenwire.client.environments import environment, is_loopback
from krakenwire.client.rest import RestClient
from krakenwire.errors import ConfigError, WaitTimeout
from krakenwire.model import (
    Added,
    AddOrder,
    AssetBalance,
    OrderRecord,
    OrderRefused,
    Outcome,
    TradeRecord,
    TradingRequest,
    Unanswered,
)
from krakenwire.protocol.v1 import trading as trading_v1
from krakenwire.protocol.v2 import trading as trading_v2
from krakenwire.session.order_checks import check_request
from krakenwire.session.orders import Encode

__all__ = ["Aftermath", "account_at", "carry_out", "frame_of", "is_here", "was_refused_anywhere"]

_ENCODE: Final[Mapping[int, Encode]] = {1: trading_v1.encode_request, 2: trading_v2.encode_request}
_HIDDEN: Final = "***"
_FOLLOWED_S: Final = 1.5
"""An order that meets another trades at once; one that rests is watched this long."""


class Aftermath(msgspec.Struct, frozen=True, kw_only=True):
    """What an order has led to.

    Args:
        order: as it stands.
        fills: its trades, oldest first.
        balances: of the account.
    """

    order: OrderRecord
    fills: tuple[TradeRecord, ...]
    balances: tuple[AssetBalance, ...]


def is_here(on: str) -> bool:
    """Return whether an environment or address can only mean this machine.

    Raises:
        UsageError: no such environment, no address.
    """
    return on == "local" or (on not in ("live", "beta") and is_loopback(environment(on).host))


@contextmanager
def account_at(on: str, keys: Credentials | None) -> Iterator[RestClient]:
    """Give an account to read from; its key needs no more permissions than what is read.

    Args:
        on: environment or address.
        keys: None for the local Kraken's own.

    Raises:
        UsageError: there is no such place, or the key would go over an open line.
    """
    if on == "local":
        with Kraken(on) as kraken:
            yield kraken.rest
        return
    place = environment(on)
    if not (is_loopback(place.host) or place.rest_url().startswith("https://")):
        raise ConfigError("credentials", expected="an encrypted connection", found=place.rest_url())
    with RestClient(place, keys) as rest:
        yield rest


def frame_of(request: TradingRequest, version: int) -> str:
    """Check a request as far as that goes without a venue, and return the frame that would be sent, without its token.

    Raises:
        UsageError: this version cannot say it, or every venue would refuse it.
    """
    check_request(request, now_ns=now_ns(), version=version)
    return _ENCODE[version](request, _HIDDEN, 1)


def carry_out(kraken: Kraken, request: TradingRequest, *, follow: bool = False) -> tuple[Outcome, Aftermath | None]:
    """Send a request, and see what becomes of the order.

    Args:
        kraken: an open client of the account; the caller closes it.
        request: what is asked.
        follow: watch an order that was placed until it ends or rests.

    Raises:
        UsageError: it may not or cannot be sent; nothing was.
        KrakenwireError: the outcome, but not what followed, could be had.
    """
    if not follow or not isinstance(request, AddOrder) or request.validate:
        return kraken.send(request), None
    with kraken.order_changes() as changes:
        outcome = kraken.send(request)
        answer = outcome.answer
        if not isinstance(answer, Added):
            return outcome, None
        until_s = time.monotonic() + _FOLLOWED_S
        with suppress(WaitTimeout):
            while (left_s := until_s - time.monotonic()) > 0:
                change = changes.next(timeout=left_s)
                if change.order_id == answer.order_id and not change.is_open:
                    break
    return outcome, _aftermath(kraken, answer.order_id)


def _aftermath(kraken: Kraken, order_id: str) -> Aftermath:
    order = kraken.rest.query_orders((order_id,), trades=True)[0]
    fills = kraken.rest.query_trades(order.exec_ids) if order.exec_ids else ()
    oldest_first = tuple(sorted(fills, key=lambda fill: fill.time_ns))
    return Aftermath(order=order, fills=oldest_first, balances=kraken.rest.balances_ex())


def was_refused_anywhere(outcome: Outcome) -> bool:
    """Return whether any part of a request was refused, or nobody knows of it."""
    return any(isinstance(answer, OrderRefused | Unanswered) for answer in outcome.answers)
