"""A live bot as a process of its own, on a local Kraken of the test, and what the venue says of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from krakenwire.apps.local_venue import LocalVenue
from krakenwire.client.credentials import Credentials
from krakenwire.client.rest import RestClient
from krakenwire.storage.bot_folder import read_status
from krakenwire.venue.access.keys import ApiKey

SYMBOL: Final = "BTC/USD"
PATIENCE_S: Final = 30
ACCOUNTS: Final = 32
"""For tests that share a venue: one for each."""
VENUE: Final = """
[[accounts]]
name = "bot-{number}"
balances = {{ USD = 1000000, BTC = 100 }}
limits = false
keys = [{{ nonce_window = 1000000 }}]
"""
CONFIG: Final = """
[live]
enabled = true
lag_s = 0

[balances]
USD = 100000
BTC = 1

[risk]
orders_per_second_max = 100
orders_per_minute_max = 6000
orders_per_day_max = 1000000
open_orders_max = 100
open_notional_max = 1000000
position_notional_max = 1000000
turnover_day_max = 1000000000
daily_loss_max = 1000000
drawdown_max_bps = 9000
lookalike_window_ms = 0
unknown_orders_max = 100
"""

RESTLESS: Final = '''
"""Places, amends and cancels all the time, and takes."""

from random import Random

from krakenwire.bot import Strategy


class Restless(Strategy):
    symbols = ("BTC/USD",)

    def on_start(self):
        self.state["lives"] = self.state.get("lives", 0) + 1
        self.random = Random(self.state["lives"])
        self.every(0.02, "act")

    def on_timer(self, name):
        book = self.book("BTC/USD")
        if not book.live or book.mid is None:
            return
        side = self.random.choice((self.buy, self.sell))
        away = self.random.choice((1, 1, 20, 40)) * (-1 if side == self.buy else 1)
        limit = self.round_price("BTC/USD", book.mid + away)
        kind, orders = self.random.random(), self.orders
        if len(orders) > 8 or (orders and kind < 0.2):
            self.cancel(self.random.choice(orders))
        elif orders and kind < 0.4:
            order = self.random.choice(orders)
            self.amend(order, qty=order.filled + self.round_qty("BTC/USD", "0.0015"))
        elif kind < 0.6:
            side("BTC/USD", "0.001")
        else:
            side("BTC/USD", "0.001", limit, post_only=kind < 0.8)
'''


@dataclass
class Bot:
    """One life.

    Attributes:
        lines: what it has said on stderr so far.
    """

    process: subprocess.Popen[str]
    begun_ns: int = field(default_factory=time.time_ns)
    lines: list[str] = field(default_factory=list)
    news: threading.Condition = field(default_factory=threading.Condition)

    def __post_init__(self) -> None:
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self.news:
                self.lines.append(line.rstrip())
                self.news.notify_all()
        with self.news:
            self.lines.append("(end)")
            self.news.notify_all()

    def says(self, *texts: str) -> bool:
        """Wait until a line has one of those texts; False when the bot has ended without it, or time is over."""
        with self.news:
            self.news.wait_for(lambda: self._said(texts) or "(end)" in self.lines, PATIENCE_S)
            return self._said(texts)

    def _said(self, texts: tuple[str, ...]) -> bool:
        return any(text in line for line in self.lines for text in texts)

    def kill(self) -> None:
        """End it without a word."""
        self.process.kill()
        self.close()

    def end(self, number: int = signal.SIGTERM) -> int:
        """End it in order; return its code."""
        self.process.send_signal(number)
        return self.wait()

    def insists(self) -> int | None:
        """Signal once more, for one right after the first counts as its echo; return the code at its end."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.poll()

    def wait(self) -> int:
        code = self.process.wait(PATIENCE_S)
        self.close()
        return code

    def result(self) -> dict[str, Any]:
        """What it has printed at the end."""
        assert self.process.stdout is not None
        last: dict[str, Any] = json.loads(self.process.stdout.read().splitlines()[-1])
        return last

    def close(self) -> None:
        self.process.wait(PATIENCE_S)
        self.reader.join(PATIENCE_S)

    def dispose(self) -> None:
        if self.process.poll() is None:
            self.kill()
        for pipe in (self.process.stdout, self.process.stderr):
            if pipe is not None:
                pipe.close()


@dataclass
class World:
    """A local Kraken with an account, a folder, a strategy and a configuration."""

    venue: LocalVenue
    path: Path
    number: int = 0
    keys: tuple[str, str] | None = None

    @property
    def data(self) -> Path:
        return self.path / "bot"

    @property
    def own(self) -> ApiKey:
        """The key of the test's account."""
        return next(key for key in self.venue.keys if key.account == f"bot-{self.number}")

    def strategy(self, source: str) -> Path:
        file = self.path / "strategy.py"
        file.write_text(source)
        return file

    def env(self) -> dict[str, str]:
        """The environment of a process that may trade."""
        key, secret = self.keys or (self.own.key, self.own.secret.reveal())
        return os.environ | {"KRAKEN_API_KEY": key, "KRAKEN_API_SECRET": secret} | {"PYTHONUNBUFFERED": "1"}

    def arguments(self, *more: str) -> list[str]:
        file, config = self.path / "strategy.py", self.path / "bot.toml"
        if not config.exists():
            config.write_text(CONFIG)
        return [
            *(sys.executable, "-m", "krakenwire", "bot", "run", str(file), "--mode", "live", "--live", "--json"),
            *("--on", self.venue.ws_v2, "--data", str(self.data), "--config", str(config), *more),
        ]

    @contextmanager
    def bot(self, *more: str) -> Iterator[Bot]:
        """Start a life."""
        process = subprocess.Popen(
            self.arguments(*more), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=self.env()
        )
        bot = Bot(process)
        try:
            yield bot
        finally:
            bot.dispose()

    def rest(self) -> RestClient:
        """The account, as the venue tells it."""
        return RestClient(self.venue.rest, Credentials(self.own.key, self.own.secret))

    def running(self, bot: Bot) -> Bot:
        """Wait until a bot calls its strategy, or would if it were not stopped."""
        assert bot.says(" orders pass", " by "), bot.lines
        self.until(lambda: int(str((read_status(self.data) or {}).get("started_ns", 0))) > bot.begun_ns)
        return bot

    # -- what the venue says ---------------------------------------------------------

    def until(self, true: Callable[[], bool]) -> None:
        """Look again and again until something is so."""
        end = time.monotonic() + PATIENCE_S
        while not true():
            assert time.monotonic() < end, "it has not come about"
            time.sleep(0.05)

    def open_orders(self) -> int:
        """How many orders of the account rest."""
        with self.rest() as rest:
            return len(rest.open_orders())

    def switch_ns(self) -> int | None:
        """When the dead man's switch fires."""
        account = self.venue._serving.venue.ledger.account(f"bot-{self.number}")
        assert account is not None
        return account.timer_ns

    def written(self, kind: str) -> bool:
        """Whether the journal has a record of a kind; the bot may be running."""
        return f'"type":"{kind}"' in (self.data / "journal").read_text(errors="replace")

    def balances(self) -> dict[str, Decimal]:
        with self.rest() as rest:
            return dict(rest.balances())

    # -- what goes wrong -------------------------------------------------------------

    @contextmanager
    def with_settings(self, line: str) -> Iterator[World]:
        """Other limits than last time."""
        config = self.path / "bot.toml"
        config.write_text(f"{CONFIG}{line}\n")
        yield self
        config.write_text(CONFIG)

    @contextmanager
    def with_key(self, key: str, secret: str) -> Iterator[World]:
        """Another account."""
        self.keys = (key, secret)
        yield self
        self.keys = None

    @contextmanager
    def damaged(self) -> Iterator[World]:
        """A byte in the middle of the journal is another."""
        journal = self.data / "journal"
        whole = journal.read_bytes()
        journal.write_bytes(whole[:300] + bytes([whole[300] ^ 1]) + whole[301:])
        yield self
        journal.write_bytes(whole)


@contextmanager
def world(path: Path, *, rate: float = 20) -> Iterator[World]:
    config = path / "venue.toml"
    config.write_text("".join(VENUE.format(number=number) for number in range(ACCOUNTS)))
    with LocalVenue(symbols=[SYMBOL], seed=5, rate=rate, config=str(config)) as venue:
        yield World(venue, path)
