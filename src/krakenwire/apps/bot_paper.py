"""A strategy on a live market with pretended orders: real data, real time, no money.

No credentials are read, no private connection is made, and there is nothing in
the process that could send an order: fills come from the simulator that backtests use.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Final, Unpack

from krakenwire.apps.backtest import head_of, settings_of, symbols_of
from krakenwire.apps.bot_config import BotConfig
from krakenwire.apps.bot_feeds import BotFeeds, Wants
from krakenwire.apps.bot_inbox import Inbox
from krakenwire.apps.bot_runner import Runner
from krakenwire.client import Settings
from krakenwire.client.clock import now_ns
from krakenwire.errors import ConfigError
from krakenwire.limits import BOT_SAMPLE_S
from krakenwire.tape.row_writer import RowWriter
from krakenwire.trading.engine import Engine
from krakenwire.trading.market_feed import CandlesFrom
from krakenwire.trading.risk import Risk
from krakenwire.trading.run_records import RunRow
from krakenwire.trading.run_result import RunResult
from krakenwire.trading.run_status import RunStatus
from krakenwire.trading.simulator import Simulator
from krakenwire.trading.strategy import Strategy

__all__ = ["candles_of", "run_paper"]

_SECOND: Final = 1_000_000_000


def run_paper(
    strategy: type[Strategy],
    *,
    on: str = "live",
    parameters: Mapping[str, object] | None = None,
    config: BotConfig | None = None,
    run: str = "paper",
    seconds: float | None = None,
    on_begin: Callable[[Runner], None] | None = None,
    on_rows: Callable[[list[RunRow]], None] | None = None,
    on_status: Callable[[RunStatus], None] | None = None,
    **settings: Unpack[Settings],
) -> RunResult:
    """Run a strategy on a venue's market until it is stopped; return everything that happened.

    Args:
        strategy: the class.
        on: ``live``, ``beta``, ``local`` (a venue in this process), or an address.
        parameters: count more than those of the configuration.
        config: everything else; None for defaults.
        run: its name.
        seconds: it ends after so long; None for never.
        on_begin: given the runner before the strategy is called: it can be asked to stop.
        on_rows: as for `Runner`.
        on_status: as for `Runner`.
        **settings: of the client; credentials are none of them.

    Raises:
        ConfigError: a parameter or balance that cannot be, an instrument that the venue does not have.
        TransportError: the market data did not come.
        VenueRefusal: the venue refuses it.
    """
    config = BotConfig() if config is None else config
    made = strategy(**{**config.parameters, **(parameters or {})})
    symbols = symbols_of(made)
    inbox = Inbox()
    feeds = BotFeeds(on, Wants.of(made), inbox, **settings | {"credentials": _refused})
    listings = feeds.start()
    try:
        start_ns = now_ns()
        engine_settings = settings_of(config, symbols, candles_of(made), BOT_SAMPLE_S * _SECOND)
        engine = Engine(
            made,
            Simulator(listings, config.model, now_ns=start_ns),
            engine_settings,
            risk=Risk(config.limits, symbols),
            stopwatch=time.perf_counter_ns,
        )
        engine.use_simulated_broker(config.model)
        runner = Runner(
            engine,
            RowWriter(listings, symbols=symbols),
            inbox,
            head=head_of(made, config, engine_settings, run, "paper", on, start_ns),
            clock_ns=now_ns,
            stopwatch=time.perf_counter_ns,
            on_rows=on_rows,
            on_status=on_status,
            feed=feeds,
            settle_ns=config.model.entry_latency_ns + config.model.report_latency_ns,
            ends_ns=None if seconds is None else start_ns + int(seconds * _SECOND),
        )
        feeds.on_down = runner.fail
        if on_begin is not None:
            on_begin(runner)
        return runner.run()
    finally:
        feeds.stop()


def _refused() -> tuple[str, str]:
    """Stand where a client would find credentials, so that it never looks for any."""
    raise ConfigError("credentials", expected="none: a bot on paper has no account")


def candles_of(strategy: Strategy) -> CandlesFrom:
    """Return what a strategy's candles are made of: trades where it asks for them."""
    return "trades" if "trade" in strategy.wanted_channels() else "ohlc"
