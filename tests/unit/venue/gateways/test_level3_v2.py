"""Room for level3 on a connection: how many symbols, and what holds a token."""

from __future__ import annotations

from collections.abc import Hashable
from typing import cast

from krakenwire.limits import LEVEL3_SYMBOLS_MAX
from krakenwire.model import Subscription
from krakenwire.venue.front import Front
from krakenwire.venue.gateways.level3_v2 import SYMBOLS_EXCEEDED, Level3Half
from krakenwire.venue.trading import Account


class Permits:
    """Stands for the front and its permit: one token is good."""

    def __init__(self) -> None:
        self.permit = self
        self.reader = Account("reader", 3)
        self.held: set[Hashable] = set()

    def account(self, token: str, asked: str, now_ns: int) -> Account | str:
        assert (asked, now_ns) == ("level3", 7)
        return self.reader if token == "good" else "ESession:Invalid session"

    def keep(self, token: str, holder: Hashable) -> None:
        self.held.add((token, holder))

    def release(self, token: str, holder: Hashable) -> None:
        self.held.remove((token, holder))


def symbol(number: int) -> Subscription:
    return Subscription(channel="level3", symbol=f"A{number}/USD", depth=10)


def test_a_connection_has_room_for_two_hundred_symbols_and_for_others_once_some_are_gone() -> None:
    permits = Permits()
    half = Level3Half(cast("Front", permits), "connection")
    for number in range(LEVEL3_SYMBOLS_MAX):
        assert half.take("good", symbol(number), 7, 7) is None
    assert half.take("good", symbol(999), 7, 7) == SYMBOLS_EXCEEDED
    assert half.take("bad", symbol(999), 7, 7) == "ESession:Invalid session"
    half.leave(symbol(0))
    assert half.take("good", symbol(999), 7, 7) is None
    assert len(permits.held) == LEVEL3_SYMBOLS_MAX == 200
    assert half.accounts == ("reader",)
    half.close()
    assert permits.held == set()
