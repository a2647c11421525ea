"""A local Kraken for one card: a market without a crowd, a clock that only the card moves, and others who trade."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, Final, TypeVar

from tests.cards.card import SECOND, SYMBOL, Card, order

from krakenwire.apps.served_venue import ServedVenue
from krakenwire.model import Added, Answer, CancelAll, OrderRefused, TradingRequest
from krakenwire.model.secrets import Secret
from krakenwire.server import Clock, VenueServer
from krakenwire.venue import VenueConfig
from krakenwire.venue.access.keys import ApiKey
from krakenwire.venue.access.pace import AccountLimits
from krakenwire.venue.config.accounts_config import AccountConfig

T = TypeVar("T")

SECRET: Final = "c2VjcmV0IG9mIGEgdGVzdA=="
OTHERS: Final = ("bob", "carol", "dave")
_PLENTY: Final = {"USD": Decimal(10_000_000), "BTC": Decimal(100)}
_A_CENTURY_NS: Final = 100 * 365 * 86_400 * SECOND
_TICK_NS: Final = 1_000_000


class StageClock(Clock):
    """The venue's time: real at the start, and then moved by nobody but the card."""

    def __init__(self) -> None:
        super().__init__()
        self.at_ns = time.time_ns()

    def now_ns(self) -> int:
        return self.at_ns


class Loop:
    """An event loop in a thread of its own, for the venues of one test module."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    def do(self, action: Callable[[], T]) -> T:
        async def act() -> T:
            return action()

        return self.run(act())

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class Stage:
    """A running venue with the accounts ``ann``, whose card it is, ``bob``, ``carol`` and ``dave``."""

    def __init__(self, loop: Loop, account: AccountConfig) -> None:
        self._loop = loop
        self.clock = StageClock()
        others = (AccountConfig(name=name, balances=_PLENTY, limits=AccountLimits()) for name in OTHERS)
        config = VenueConfig(
            symbols=(SYMBOL,), thin=(SYMBOL,), rate=1, start_ns=self.clock.at_ns, accounts=(account, *others)
        )
        self.served = ServedVenue(config)
        self.ledger = self.served.venue.ledger
        self._send_the_crowd_away()
        self.server = VenueServer(self.served, self.clock)

    def _send_the_crowd_away(self) -> None:
        self.served.venue.leave_out(_A_CENTURY_NS)
        makers = self.ledger.account(f"makers of {SYMBOL}")
        assert makers is not None
        self.served.venue.exchange.execute(makers, CancelAll(), self.clock.at_ns)

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.server.port}"

    def act(self, who: str, request: TradingRequest) -> Answer:
        """Let somebody else do something; it must be taken."""
        return self._loop.do(lambda: self._act(who, request))

    def _act(self, who: str, request: TradingRequest) -> Answer:
        account = self.ledger.account(who)
        assert account is not None
        answer = self.served.venue.exchange.execute(account, request, self.clock.at_ns)[0]
        assert not isinstance(answer, OrderRefused), answer
        self.server.driver.publish(self.served.news())
        return answer

    def print(self, price: str) -> None:
        """Have a trade at a price."""
        sold = self.act("bob", order("sell", "0.0001", price))
        self.act("carol", order("buy", "0.0001", price, time_in_force="ioc"))
        bob = self.ledger.account("bob")
        assert bob is not None
        assert isinstance(sold, Added)
        assert bob.orders_seen[sold.order_id].phase == "filled", "another order was in the way"

    def tick(self) -> None:
        """Let a moment pass, so that no two steps happen at once."""
        self.clock.at_ns += _TICK_NS

    def passes(self, seconds: int) -> None:
        """Let time pass, and what is due happen."""
        self.clock.at_ns += seconds * SECOND
        self._loop.do(self.server.driver.step)

    def set_status(self, status: str) -> None:
        self._loop.do(lambda: self.server.operations.set_status(status))

    def index(self, price: str) -> None:
        """Have the crowd, which is away, think that this is what the instrument is worth."""
        crowd = self.served.venue._traders[SYMBOL]
        crowd._settle_at(int(Decimal(price) * 10))

    def totals(self) -> dict[str, int]:
        """The sum of every asset over all accounts."""
        return self._loop.do(lambda: {asset: self.ledger.total(asset) for asset in self.ledger.decimals})


@contextmanager
def stage_of(loop: Loop, card: Card) -> Iterator[Stage]:
    """Run a venue for a card, with its book and its last price."""
    account = AccountConfig(
        name="ann",
        balances={asset: Decimal(amount) for asset, amount in card.funds.items()},
        margin=card.margin,
        limits=card.limits,
        keys=(ApiKey(key="ann", secret=Secret(SECRET), account="ann"),),
    )
    stage = Stage(loop, account)
    loop.run(stage.server.start())
    try:
        stage.index(card.last)
        stage.print(card.last)
        for step in card.book:
            stage.tick()
            stage.act(step.who, step.request)
        yield stage
    finally:
        loop.run(stage.server.stop())
