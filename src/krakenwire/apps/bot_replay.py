"""A strategy on a tape that comes over the wire, on the tape's own clock: the same run as a backtest of that tape.

The records come from a replay on a port instead of from the folder, and are
read by the same reader into the same rows for the same engine. Time is the
tape's, so it does not matter how fast they come. No credentials are read and
nothing here could send an order.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

import msgspec
from msgspec.structs import replace

from krakenwire.apps.backtest import few_collections, first_market_row, head_of, sample_ns_of, settings_of, symbols_of
from krakenwire.apps.bot_config import BotConfig
from krakenwire.apps.bot_tape_feed import TapeFeed
from krakenwire.apps.bot_telling import Telling
from krakenwire.apps.market_data import MarketReader, read_market
from krakenwire.client.environments import environment
from krakenwire.errors import ConfigError, ListingMismatch, TapeError
from krakenwire.limits import BOT_SAMPLE_S, BOT_STATUS_EVERY_S
from krakenwire.model.rows import ROW, Listing, Rows
from krakenwire.tape.block import Block
from krakenwire.tape.columns import joined
from krakenwire.trading.engine import Engine
from krakenwire.trading.market_feed import CandlesFrom
from krakenwire.trading.risk import Risk
from krakenwire.trading.run_records import RunHead, RunRow
from krakenwire.trading.run_result import RunResult
from krakenwire.trading.run_status import RunStatus
from krakenwire.trading.simulator import Simulator
from krakenwire.trading.strategy import Strategy

__all__ = ["Played", "Replay", "run_replay"]

_EVERY_NS: Final = int(BOT_STATUS_EVERY_S * 1e9)


def run_replay(
    strategy: type[Strategy],
    tape: str | os.PathLike[str] | None = None,
    *,
    on: str | None = None,
    parameters: Mapping[str, object] | None = None,
    config: BotConfig | None = None,
    run: str = "replay",
    on_begin: Callable[[Replay], None] | None = None,
    on_rows: Callable[[list[RunRow]], None] | None = None,
    on_status: Callable[[RunStatus], None] | None = None,
) -> RunResult:
    """Run a strategy over a tape that is played on a port, and return everything that happened.

    Args:
        strategy: the class.
        tape: its folder, played in this process on a free port as fast as the strategy takes it.
        on: instead the address of a running `krakenwire replay`.
        parameters: count more than those of the configuration.
        config: everything else; None for defaults.
        run: its name.
        on_begin: given the replay before the strategy is called: it can be asked to stop.
        on_rows: told the rows of the run as they come.
        on_status: told how it stands, now and then.

    Raises:
        ConfigError: a parameter or balance that cannot be, a symbol that the tape does not have.
        TapeError: no tape, or one that cannot be read.
        TransportError: the replay went away.
    """
    config = BotConfig() if config is None else config
    made = strategy(**{**config.parameters, **(parameters or {})})
    symbols = symbols_of(made)
    with _played_at(tape, on, symbols) as played, _feed_of(played, symbols) as feed:
        replay = Replay(made, feed, config, run, played, on_rows=on_rows, on_status=on_status)
        if on_begin is not None:
            on_begin(replay)
        return replay.run()


class Played(msgspec.Struct, frozen=True, kw_only=True):
    """Where a tape is played.

    Args:
        url: WebSocket address; `version`: of the API it speaks there.
        source: as a person knows it.
        listings: instruments that the tape does not describe.
        sample_ns: how often equity is sampled.
    """

    url: str
    version: int
    source: str
    listings: tuple[Listing, ...] = ()
    sample_ns: int = BOT_SAMPLE_S * 1_000_000_000


class Replay:
    """One run.

    Args:
        strategy: not started yet.
        feed: the tape, not begun yet.
        config: of the run.
        run: its name.
        played: where the tape is from.
        on_rows: told the rows of the run as they come.
        on_status: told how it stands, now and then.
    """

    def __init__(
        self,
        strategy: Strategy,
        feed: TapeFeed,
        config: BotConfig,
        run: str,
        played: Played,
        *,
        on_rows: Callable[[list[RunRow]], None] | None,
        on_status: Callable[[RunStatus], None] | None,
    ) -> None:
        self._strategy, self._feed, self._config, self._run, self._played = strategy, feed, config, run, played
        self._on_rows, self._on_status = on_rows, on_status
        symbols = tuple(strategy.symbols)
        self._reader = MarketReader(played.source, (), listings=played.listings, symbols=symbols, told=feed.told)
        self._waiting: list[Rows] = []
        self._engine: Engine | None = None
        self._telling: Telling | None = None
        self._head: RunHead | None = None
        self._stop = ""

    def request_stop(self, reason: str) -> None:
        """End the run, from any thread or a signal's handler."""
        self._stop = self._stop or reason
        if self._engine is not None:
            self._engine.simulator.stop()

    def run(self) -> RunResult:
        """Run to the end of the tape, or until it is stopped.

        Raises:
            ConfigError: a symbol of the strategy is not on the tape.
            TapeError: a number of the tape that does not fit its instrument.
            TransportError: the replay went away.
        """
        with few_collections():
            try:
                for block in self._feed.blocks(self._is_over):
                    self._take(block)
            except ListingMismatch as error:
                hint = "Replay the tape's folder with --tape: it is looked through first"
                raise TapeError(self._played.source, str(error), hint=hint) from error
            engine = self._engine or self._begin()
            self._finish(engine)
        assert self._head is not None
        return RunResult(self._head, engine.log, error=engine.error, open_orders=len(engine.desk.open))

    def _is_over(self) -> bool:
        return bool(self._stop) or (self._engine is not None and bool(self._engine.stopped))

    # -- records ---------------------------------------------------------------------------

    def _take(self, block: Block) -> None:
        self._reader.take_block(block)
        rows = self._reader.writer.rows()
        if self._engine is None:
            self._waiting.append(rows)
            if self._is_listed():
                self._begin()
        elif len(rows):
            self._advance(self._engine, rows)

    def _advance(self, engine: Engine, rows: Rows) -> None:
        objects = self._reader.writer.objects
        engine.run(rows, objects)
        objects.clear()
        if self._telling is not None:
            self._telling.tell()

    def _is_listed(self) -> bool:
        """Return whether every symbol has its instrument, and its book where there is one: then a run can begin."""
        listed = {listing.symbol: listing for listing in self._reader.writer.listings if not self._is_given(listing)}
        booked = {each.symbol for each in self._feed.granted if each.channel == "book"}
        return all(
            symbol in listed and (listed[symbol].depth > 0 or symbol not in booked) for symbol in self._strategy.symbols
        )

    def _is_given(self, listing: Listing) -> bool:
        """Return whether it was known beforehand and nothing has come of it yet."""
        return listing in self._played.listings

    def _begin(self) -> Engine:
        """Let the strategy begin where the market does, and give it what has come so far."""
        rows = joined(self._waiting, ROW)
        self._waiting.clear()
        if not len(rows):
            raise ConfigError(self._played.source, expected="market data", found="none")
        writer, symbols = self._reader.writer, tuple(self._strategy.symbols)
        start_ns = int(rows["time_ns"][first_market_row(rows, writer.objects)])
        settings = settings_of(self._config, symbols, self._candles_from(), self._played.sample_ns)
        simulator = Simulator(tuple(writer.listings), self._config.model, now_ns=start_ns)
        engine = Engine(self._strategy, simulator, settings, risk=Risk(self._config.limits, symbols))
        engine.use_simulated_broker(self._config.model)
        self._head = head_of(self._strategy, self._config, settings, self._run, "replay", self._played.source, start_ns)
        self._telling = Telling(
            engine,
            self._head,
            time.perf_counter_ns,
            on_rows=self._on_rows,
            on_status=self._on_status,
            every_ns=_EVERY_NS,
            complete=lambda status: status,
        )
        self._engine, self._telling.state = engine, "running"
        engine.start()
        self._advance(engine, rows)
        return engine

    def _candles_from(self) -> CandlesFrom:
        channels = {each.channel for each in self._feed.granted}
        return "trades" if "trade" in channels or "ohlc" not in channels else "ohlc"

    def _finish(self, engine: Engine) -> None:
        if self._stop:
            engine.stop(self._stop)
        engine.finish(self._config.model.entry_latency_ns + self._config.model.report_latency_ns)
        if self._telling is not None:
            self._telling.end()


@contextlib.contextmanager
def _played_at(tape: str | os.PathLike[str] | None, on: str | None, symbols: Sequence[str]) -> Iterator[Played]:
    """Play a tape in this process, or find who plays it, for as long as the context lasts."""
    if on is not None:
        place = environment(on)
        yield Played(url=place.url(2), version=2, source=on)
        return
    if tape is None:
        raise ConfigError("replay", expected="the folder of a tape, or the address of a running `krakenwire replay`")
    from krakenwire.apps.player import TapePlayer

    with TapePlayer(tape, speed=0) as player:
        version = 1 if player.info.versions == (1,) else 2
        yield Played(
            url=player.ws_v1 if version == 1 else player.ws_v2,
            version=version,
            source=str(tape),
            listings=() if player.describes else _inferred(tape, symbols),
            sample_ns=sample_ns_of(player.info.end_ns - player.info.start_ns),
        )


def _feed_of(played: Played, symbols: Sequence[str]) -> contextlib.closing[TapeFeed]:
    return contextlib.closing(TapeFeed(played.url, played.version, symbols))


def _inferred(tape: str | os.PathLike[str], symbols: Sequence[str]) -> tuple[Listing, ...]:
    """Return instruments nobody describes, with the decimals that their numbers have: the whole tape shows them."""
    from krakenwire.storage.tape_reader import Tape

    def listed(reader: MarketReader) -> tuple[Listing, ...]:
        for _ in reader.chunks():
            pass
        return tuple(replace(listing, depth=0) for listing in reader.writer.listings)

    return read_market(Tape(tape), listed, symbols=symbols)
