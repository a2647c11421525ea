"""A Kraken for the length of a `with` statement. The pytest fixture is in `fixtures`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from krakenwire.apps.local_venue import LocalVenue
from krakenwire.venue.config.accounts_config import AccountConfig

__all__ = ["local_kraken"]


@contextmanager
def local_kraken(
    *,
    symbols: Sequence[str] | None = None,
    seed: int = 1,
    rate: float | None = None,
    config: str | os.PathLike[str] | None = None,
    accounts: Sequence[AccountConfig] | None = None,
    tape: Mapping[str, str | os.PathLike[str]] | None = None,
    tape_speed: float | None = None,
    strict_hosts: bool | None = None,
    control: int | None = None,
    tls_cert: str | None = None,
    tls_key: str | None = None,
) -> Iterator[LocalVenue]:
    """Run a local Kraken on a free loopback port.

    Args:
        symbols: what to list, any spelling; None lists everything.
        seed: the same seed gives the same market.
        rate: trader actions a second for every instrument alike.
        config: a TOML file, as the command takes it.
        accounts: who may trade there; None for one demo account, whose key is the venue's `key` and `secret`.
        tape: CSV files of trades by symbol, which drive the price instead of the crowd.
        tape_speed: how many times faster than it was.
        strict_hosts: give public, private and level3 connections and REST addresses of their own.
        control: port of a control interface over HTTP, 0 for a free one.
        tls_cert: PEM file; with it the port speaks TLS only.
        tls_key: its private key, PEM.

    Yields:
        The running venue: `ws_v1`, `ws_v2`, `rest` are its addresses. What else can
        be done to it - hold its clock, cut its connections, lose its answers, trade
        as somebody else - has one method each: see `krakenwire.apps.operated_venue`.
    """
    with LocalVenue(
        symbols=symbols,
        seed=seed,
        rate=rate,
        config=config,
        accounts=accounts,
        tape=tape,
        tape_speed=tape_speed,
        strict_hosts=strict_hosts,
        control=control,
        tls_cert=tls_cert,
        tls_key=tls_key,
    ) as venue:
        yield venue
