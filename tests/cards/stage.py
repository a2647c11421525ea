"""A local Kraken for one card: a market without a crowd, a clock that only the card moves, and others who trade."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Collection, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, Final, TypeVar

from tests.cards.card import FUNDS, NO_LIMITS, SECOND, SYMBOL, Card, order

from krakenwire.apps.served_venue import ServedVenue
from krakenwire.model import Added, Answer, CancelAll, OrderRefused, TradingRequest
from krakenwire.model.secrets import Secret
from krakenwire.server import Clock, VenueServer
from krakenwire.venue import VenueConfig
from krakenwire.venue.access.keys import ApiKey
from krakenwire.venue.config.accounts_config import AccountConfig
from krakenwire.venue.gateways.hosts import Host
from krakenwire.venue.trading import Account

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


class Wire:
    """What clients have sent, frame by frame; and answers that are lost on their way back.

    Attributes:
        lose: how many requests of `losing` are carried out without an answer.
        on_lost: called in the venue's loop when an answer was lost.
    """

    def __init__(self, served: ServedVenue) -> None:
        self._frames: list[dict[str, Any]] = []
        self._news = threading.Condition()
        self.lose, self.losing = 0, ""
        self.on_lost: Callable[[], object] = lambda: None
        self._open_gateway = served.open_gateway
        served.open_gateway = self._open  # type: ignore[method-assign]  # listens at the venue's side of each connection

    def _open(self, version: int, host: Host = "any") -> Any:
        gateway: Any = self._open_gateway(version, host)
        feed = gateway.feed_frame

        def heard(frame: str | bytes, now_ns: int, heard_ns: int) -> Sequence[str]:
            said = json.loads(frame)
            answers: Sequence[str] = feed(frame, now_ns, heard_ns)
            if self.lose and name_of(said) == self.losing:
                self.lose -= 1
                self.on_lost()
                answers = ()
            with self._news:
                self._frames.append(said)
                self._news.notify_all()
            return answers

        gateway.feed_frame = heard
        return gateway

    def count(self, *names: str) -> int:
        """How often clients have asked for something, by its v1 or v2 name."""
        with self._news:
            return self._count(names)

    def _count(self, names: Collection[str]) -> int:
        return sum(name_of(frame) in names for frame in self._frames)

    def wait(self, count: int, *names: str) -> None:
        """Return when something has been asked for that often."""
        with self._news:
            assert self._news.wait_for(lambda: self._count(names) >= count, timeout=30)


def name_of(frame: Mapping[str, Any]) -> str:
    """What a request asks for."""
    return str(frame.get("method") or frame.get("event"))


class Stage:
    """A running venue with the accounts ``ann``, whose card it is, ``bob``, ``carol`` and ``dave``."""

    def __init__(self, loop: Loop, account: AccountConfig) -> None:
        self._loop = loop
        self.clock = StageClock()
        others = (AccountConfig(name=name, balances=_PLENTY, limits=NO_LIMITS) for name in OTHERS)
        config = VenueConfig(
            symbols=(SYMBOL,), thin=(SYMBOL,), rate=1, start_ns=self.clock.at_ns, accounts=(account, *others)
        )
        self.served = ServedVenue(config)
        self.ledger = self.served.venue.ledger
        self._send_the_crowd_away()
        self.wire = Wire(self.served)
        self.server = VenueServer(self.served, self.clock)

    def _send_the_crowd_away(self) -> None:
        self.served.venue.leave_out(_A_CENTURY_NS)
        makers = self.ledger.account(f"makers of {SYMBOL}")
        assert makers is not None
        self.served.venue.exchange.execute(makers, CancelAll(), self.clock.at_ns)

    def do(self, action: Callable[[], T]) -> T:
        """Do something in the venue's loop."""
        return self._loop.do(action)

    @property
    def account(self) -> Account:
        """The venue's own books of ``ann``."""
        account = self.ledger.account("ann")
        assert account is not None
        return account

    def fill_ids(self) -> list[str]:
        """The ids of the fills of ``ann``, oldest first."""
        exec_ids = self.served.venue.exchange.reports.exec_ids
        return self.do(lambda: [exec_ids.text(fill.number) for fill in self.account.fills])

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


def ann(funds: Mapping[str, str] = FUNDS, **more: Any) -> AccountConfig:
    """The account whose card it is."""
    balances = {asset: Decimal(amount) for asset, amount in funds.items()}
    key = ApiKey(key="ann", secret=Secret(SECRET), account="ann")
    return AccountConfig(**{"name": "ann", "balances": balances, "keys": (key,), "limits": NO_LIMITS} | more)


@contextmanager
def running(loop: Loop, account: AccountConfig) -> Iterator[Stage]:
    """Run a venue with an account."""
    stage = Stage(loop, account)
    loop.run(stage.server.start())
    try:
        yield stage
    finally:
        loop.run(stage.server.stop())


@contextmanager
def stage_of(loop: Loop, card: Card) -> Iterator[Stage]:
    """Run a venue for a card, with its book and its last price."""
    with running(loop, ann(card.funds, margin=card.margin, limits=card.limits)) as stage:
        stage.index(card.last)
        stage.print(card.last)
        for step in card.book:
            stage.tick()
            stage.act(step.who, step.request)
        yield stage
