"""A strategy with real orders: the same engine and market as on paper, and a live broker in place of the simulated one.

    this thread     strategy, desk, risk                  never waits for a socket or a disk
    feeds thread    market data of the venue              `bot_feeds`
    orders thread   client, journal, broker, switch       `live_session`

There is one way to begin, and it is recovery; see `bot_start`. Nothing begins
unless the configuration and the command line both say so.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import msgspec

from krakenwire.apps.backtest import head_of, json_values, settings_of, symbols_of
from krakenwire.apps.bot_config import BotConfig
from krakenwire.apps.bot_feeds import BotFeeds, Wants
from krakenwire.apps.bot_inbox import Inbox
from krakenwire.apps.bot_paper import candles_of
from krakenwire.apps.bot_runner import Runner
from krakenwire.apps.bot_start import Identity, Phase, claim, config_hash, fingerprint
from krakenwire.apps.live_broker import LivePermit, LiveSettings
from krakenwire.apps.live_session import LiveSession
from krakenwire.apps.live_stake import stake_lines
from krakenwire.client.clock import now_ns
from krakenwire.client.credentials import Credentials
from krakenwire.errors import ConfigError, StrategyError
from krakenwire.limits import BOT_OBEY_S, BOT_SAMPLE_S
from krakenwire.model.rows import Listing
from krakenwire.storage.bot_folder import BotFolder
from krakenwire.tape.row_writer import RowWriter
from krakenwire.trading.engine import Engine, EngineSettings
from krakenwire.trading.reconcile import Patience
from krakenwire.trading.risk import Risk
from krakenwire.trading.run_records import RunRow
from krakenwire.trading.run_result import RunResult
from krakenwire.trading.run_status import RunStatus
from krakenwire.trading.simulator import Simulator
from krakenwire.trading.stops import StopLevel
from krakenwire.trading.strategy import Strategy

__all__ = ["LiveTerms", "check_leave", "run_live"]

_SECOND: Final = 1_000_000_000


class LiveTerms(msgspec.Struct, frozen=True, kw_only=True):
    """Where a live bot trades, and who has said that it may.

    Args:
        on: the venue.
        keys: of its account.
        folder: of the bot.
        by_flag: whether the command line says so, too.
        accept_config: a person has said that a change of build or configuration is meant.
        seconds: it ends after so long; None for never.
    """

    on: str
    keys: Credentials
    folder: Path
    by_flag: bool = False
    accept_config: bool = False
    seconds: float | None = None


def run_live(
    strategy: type[Strategy],
    config: BotConfig,
    terms: LiveTerms,
    *,
    told: Callable[[str], object],
    ask: Callable[[list[str]], object],
    ready: Callable[[Runner], object],
    run: str = "live",
    on_rows: Callable[[list[RunRow]], None] | None = None,
    on_status: Callable[[RunStatus], None] | None = None,
) -> RunResult:
    """Run a strategy at a venue until it is stopped, by whatever; return everything that happened.

    Args:
        strategy: the class.
        config: everything that is set, the leave to send orders, too.
        terms: where, whose, and the other leave.
        told: called with each phase of the start, in words.
        ask: called with what is at stake before anything is sent; it raises to leave.
        ready: called with the runner before it runs, to be able to stop it.
        run: its name.
        on_rows: told the rows of the run as they come.
        on_status: told how it stands, now and then.

    Raises:
        ConfigError: a leave is missing, or a setting cannot be.
        JournalError: the folder is another's, in use, or damaged; or it cannot be written any more.
        KrakenwireError: the venue cannot be reached, or does not take the key.
    """
    check_leave(config, on=terms.on, by_flag=terms.by_flag)
    made = strategy(**config.parameters)
    with BotFolder(terms.folder) as folder:
        account = fingerprint(terms.keys.key)
        identity = Identity(account=account, strategy=strategy.__name__, config=_hash(made, config))
        claim(folder, identity, accept_config=terms.accept_config)
        with _Life(made, config, terms, folder) as life:
            ask(life.connect())
            runner = life.begin(told, run, on_rows, on_status)
            ready(runner)
            return life.run(runner)


def check_leave(config: BotConfig, *, on: str, by_flag: bool) -> None:
    """Refuse to begin unless the configuration and the command line both say so, at any venue.

    Raises:
        ConfigError: it names the missing one.
    """
    if on == "local":
        hint = "`krakenwire venue` runs a local Kraken; give its address"
        raise ConfigError("--mode live --on local", expected="a venue that outlives the bot", hint=hint)
    for there, what in (
        (config.live_enabled, "enabled = true under [live] in the file of --config"),
        (by_flag, "--live on the command line"),
    ):
        if not there:
            raise ConfigError("--mode live, which sends real orders", expected=what)


def _hash(made: Strategy, config: BotConfig) -> str:
    """What a person has looked at: the strategy's source, what it is set to, what it may do."""
    file = getattr(sys.modules[type(made).__module__], "__file__", None)
    source = sha256(Path(file).read_bytes()).hexdigest() if file else ""
    rest = msgspec.to_builtins(config, builtin_types=(Decimal,), str_keys=True)
    rest.pop("parameters")
    return config_hash({"source": source, "parameters": json_values(made.parameters), "config": rest})


class _Life:
    """All parts of one run; a context manager that leaves none of them behind."""

    def __init__(self, strategy: Strategy, config: BotConfig, terms: LiveTerms, folder: BotFolder) -> None:
        self._strategy, self._config, self._terms, self._folder = strategy, config, terms, folder
        self._symbols = symbols_of(strategy)
        self._start_ns = now_ns()
        self._wants = Wants.of(strategy)
        self._inbox = Inbox()
        self._feeds = BotFeeds(terms.on, self._wants, self._inbox)
        permit = LivePermit(mode="live", on=terms.on, by_config=config.live_enabled, by_flag=terms.by_flag)
        settings = LiveSettings(switch_s=config.switch_s, patience=Patience(lag_s=config.lag_s))
        self._session = LiveSession(folder, permit, terms.keys, self._inbox.post, settings)
        self._listings: tuple[Listing, ...] = ()
        self._risk = Risk(config.limits, self._symbols)
        self._status_ns, self._status_said = 0, ("", "", "")
        self._orderly = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._feeds.stop()
        self._session.close(disarm=self._orderly)

    def connect(self) -> list[str]:
        """Connect to the market and to the account, and return what is at stake. Nothing is changed by it."""
        connected = self._session.connect()
        self._listings = self._feeds.start()
        head = self._folder.journal.known.head
        return stake_lines(
            on=self._terms.on,
            account=head.account if head is not None else "",
            strategy=type(self._strategy).__name__,
            parameters=self._strategy.parameters,
            symbols=self._symbols,
            balances=connected(),
            allowed=self._config.balances,
            limits=self._config.limits,
            switch_s=self._config.switch_s,
            known=self._folder.journal.known,
        )

    def begin(
        self,
        told: Callable[[str], object],
        run: str,
        on_rows: Callable[[list[RunRow]], None] | None,
        on_status: Callable[[RunStatus], None] | None,
    ) -> Runner:
        """Recover, arm, reconcile, audit; return what runs the strategy from there."""

        def say(phase: Phase, text: str) -> None:
            told(f"{phase:10}{text}")

        handover = self._session.begin(self._risk, self._symbols, self._config.balances, say, self._rounded)
        settings = settings_of(self._config, self._symbols, candles_of(self._strategy), BOT_SAMPLE_S * _SECOND)
        settings = msgspec.structs.replace(settings, balances=handover.balances)
        engine = self._engine(settings)
        self._session.attach(engine, handover)
        head = head_of(self._strategy, self._config, settings, run, "live", self._terms.on, self._start_ns)
        runner = Runner(
            engine,
            RowWriter(self._listings, symbols=self._symbols),
            self._inbox,
            head=msgspec.structs.replace(head, model={}),
            clock_ns=now_ns,
            stopwatch=time.perf_counter_ns,
            on_rows=on_rows,
            on_status=lambda status: self._say(status, on_status),
            on_step=self._session.step,
            feed=self._feeds,
            complete=self._complete,
            ends_ns=None if self._terms.seconds is None else self._start_ns + int(self._terms.seconds * _SECOND),
        )
        self._feeds.on_down = self._session.on_failure = runner.fail
        return runner

    def run(self, runner: Runner) -> RunResult:
        """Run to the end, and see to it that no order of the bot outlives it."""
        result = runner.run()
        if runner.stops > 1:
            return result
        done = self._session.end_orders()
        while not done():
            self._session.step()
            self._inbox.wait(BOT_OBEY_S)
            self._inbox.run_urgent()
        self._inbox.run_urgent()
        self._keep_stop(result)
        self._session.save_day(now_ns())
        self._orderly = not self._folder.journal.known.open
        self._session.write_status(msgspec.to_builtins(runner.status(), builtin_types=(Decimal,)))
        return result

    # -- parts ---------------------------------------------------------------------------

    def _engine(self, settings: EngineSettings) -> Engine:
        return Engine(
            self._strategy,
            Simulator(self._listings, self._config.model, now_ns=self._start_ns),
            settings,
            risk=self._risk,
            new_id=self._folder.journal.new_id,
            state=self._session,
            stopwatch=time.perf_counter_ns,
        )

    def _rounded(self, symbol: str, qty: Decimal) -> Decimal:
        """Cut a quantity to what may be ordered; nothing where that is too little."""
        listing = next((each for each in self._listings if each.symbol == symbol), None)
        if listing is None:
            return qty
        step = listing.qty(listing.lot)
        cut = qty // step * step
        return cut if cut >= listing.qty_min else Decimal(0)

    # -- while it runs ---------------------------------------------------------------------

    def _complete(self, status: RunStatus) -> RunStatus:
        return msgspec.structs.replace(status, stop=self._session.stop, alarm=self._session.alarm)

    def _say(self, status: RunStatus, on_status: Callable[[RunStatus], None] | None) -> None:
        """Keep how it stands for other terminals: at once when it is another, else now and then."""
        said = (status.state, status.stop, status.alarm)
        if said != self._status_said or status.time_ns >= self._status_ns:
            self._status_said, self._status_ns = said, status.time_ns + _SECOND
            self._session.write_status(msgspec.to_builtins(status, builtin_types=(Decimal,)))
            self._session.save_day(status.time_ns)
        if on_status is not None:
            on_status(status)

    def _keep_stop(self, result: RunResult) -> None:
        """What has stopped the bot by its own limits, or by its own mistake, holds until a person has looked at it."""
        tripped = self._risk.tripped
        if tripped is not None:
            result.error = result.error or tripped
        elif self._config.on_error == "continue" or not isinstance(result.error, StrategyError):
            return
        self._session.stop_for(StopLevel.CANCEL_OWN, str(tripped or result.error))
