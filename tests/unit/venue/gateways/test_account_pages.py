"""Pages of an account's history: what looking at every row would show, of a venue that has lived for a while."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import count
from typing import Any

import pytest
from tests.unit.venue.test_inputs import SECOND, T0, Life, live

from krakenwire.venue.gateways import account_pages
from krakenwire.venue.trading import Account

Inside = Callable[[int], bool]


@pytest.fixture(scope="module")
def account() -> Account:
    life = Life()
    live(life, 20, seed=1)
    account = life.account("ann")
    assert len(account.fills) > 50
    assert len(account.closed_orders) > 50
    return account


def whole(rows: account_pages.Rows[Any], params: dict[str, str]) -> list[Any]:
    """Every page one after the other, and as many rows as are counted."""
    found: list[Any] = []
    for number in count():
        shown = account_pages.page(rows, params | {"ofs": str(number * account_pages.PAGE)})
        found += shown
        if len(shown) < account_pages.PAGE:
            assert len(rows) == len(found)
            return found
    raise AssertionError("no last page")


WINDOWS: list[tuple[float | None, float | None]] = [
    (None, None),
    (5, None),
    (None, 12.5),
    (4.001, 9.003),
    (30, None),
    (None, -1),
    (9, 4),
]


@pytest.mark.parametrize("window", WINDOWS)
def test_pages_show_what_is_inside_newest_first(account: Account, window: tuple[float | None, float | None]) -> None:
    start, end = window
    seconds = {"start": start, "end": end}
    params = {name: f"{T0 // SECOND + at:.3f}" for name, at in seconds.items() if at is not None}

    def inside(time_ns: int) -> bool:
        since = (time_ns - T0) / SECOND
        return (start is None or since > start) and (end is None or since <= end)

    def expected(rows: Iterable[Any], choose: Callable[[Any], bool]) -> list[Any]:
        return [row for row in reversed(list(rows)) if choose(row)]

    assert whole(account_pages.fills(account, params), params) == expected(
        account.fills, lambda fill: inside(fill.time_ns)
    )
    assert whole(account_pages.entries(account, params, None), params) == expected(
        account.entries, lambda entry: inside(entry.time_ns)
    )
    assert whole(account_pages.entries(account, params, ["BTC"]), params) == expected(
        account.entries, lambda entry: inside(entry.time_ns) and entry.asset == "BTC"
    )
    for kind, choose in {
        "open": lambda order: inside(order.opened_ns),
        "close": lambda order: inside(order.closed_ns),
        "both": lambda order: inside(order.opened_ns) or inside(order.closed_ns),
    }.items():
        asked = params | {"closetime": kind}
        assert whole(account_pages.closed_orders(account, asked), asked) == expected(account.closed_orders, choose)


def test_orders_are_chosen_by_their_ids_too(account: Account) -> None:
    assert whole(account_pages.closed_orders(account, {"userref": "5"}), {}) == []
    assert whole(account_pages.closed_orders(account, {"cl_ord_id": "mine"}), {}) == []
