"""A Kraken for the length of a `with` statement. The pytest fixture is in `fixtures`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
    accounts: Sequence[AccountConfig] | None = None,
    tls_cert: str | None = None,
    tls_key: str | None = None,
) -> Iterator[LocalVenue]:
    """Run a local Kraken on a free loopback port.

    Args:
        symbols: what to list, any spelling; None lists everything.
        seed: the same seed gives the same market.
        rate: trader actions a second for every instrument alike.
        accounts: who may trade there; None for one demo account, whose key is the venue's `key` and `secret`.
        tls_cert: PEM file; with it the port speaks TLS only.
        tls_key: its private key, PEM.

    Yields:
        The running venue: `ws_v1`, `ws_v2`, `rest` are its addresses;
        `cut_connections`, `drop_updates`, `corrupt_checksums`, `stall` and
        `set_status` make it misbehave.
    """
    with LocalVenue(
        symbols=symbols, seed=seed, rate=rate, accounts=accounts, tls_cert=tls_cert, tls_key=tls_key
    ) as venue:
        yield venue
