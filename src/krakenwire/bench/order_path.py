"""From the bytes of a frame to the frame of an order, in process and without a socket.

What a live bot does with a frame: the feed verifies the book, its rows drive
the simulator's book, the strategy answers with an order, the desk and the risk
limits judge it, its intent goes into the journal, and the request is put into
words. What the venue says of each order is told off the clock.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Final

from krakenwire.apps.live_evidence import entry_of
from krakenwire.bench.generate import PAIRS, START_NS, one_pair
from krakenwire.bench.rows import Row, measured
from krakenwire.bench.timing import Job, take_turns
from krakenwire.bot import Strategy
from krakenwire.protocol.v2.client import ClientCodec
from krakenwire.protocol.v2.trading import encode_request
from krakenwire.session.feed import Feed
from krakenwire.storage.bot_folder import BotJournal
from krakenwire.tape.row_writer import RowWriter
from krakenwire.trading import records
from krakenwire.trading.engine import Engine, EngineSettings
from krakenwire.trading.orders import Order
from krakenwire.trading.risk import Risk
from krakenwire.trading.risk_limits import RiskLimits
from krakenwire.trading.simulator import FillModel, SimBook, Simulator

__all__ = ["order_path_rows"]

_FRAMES: Final = 3_000
_FRAMES_QUICK: Final = 50
_STEP_NS: Final = 1_100_000_000
"""More than a second of market time, so that the limits on orders a second and a minute let each of them pass."""
_DEPTH: Final = 10
_SYMBOL: Final = PAIRS[0][0]
_QTY: Final = Decimal("0.001")
_TOKEN: Final = "x" * 43
_DEADLINE_S: Final = 5.0
_COLD: Final = 10
"""The first of so many trips does not count: caches are cold."""


class _Answers(Strategy):
    """Answers each book with a bid."""

    symbols = (_SYMBOL,)
    depth = _DEPTH

    def on_book(self, book: SimBook) -> None:
        self.buy(_SYMBOL, _QTY, book.best_bid, post_only=True)


class _Words:
    """A broker that puts orders into the venue's words, and sends them nowhere.

    Args:
        journal: where the intent stands before.
    """

    def __init__(self, journal: BotJournal) -> None:
        self._journal, self._req_ids = journal, count(1)
        self.sent: list[Order] = []
        self.frame = ""

    def submit(self, order: Order) -> None:
        entry = entry_of(order.intent, self._journal.known.orders[order.id].deadline_ns)
        self.frame = encode_request(entry, _TOKEN, next(self._req_ids))
        self.sent.append(order)

    def amend(self, order: Order, limit: Decimal | None, qty: Decimal) -> None:
        """Nothing is amended here."""

    def cancel(self, order: Order) -> None:
        """Nothing is canceled here."""


def order_path_rows(rounds: int, quick: bool) -> list[Row]:
    """Return the rows of the way, with a journal that waits for the disk and one that does not."""
    frames = [each for each in one_pair(_DEPTH, _FRAMES_QUICK if quick else _FRAMES, _STEP_NS) if b'"book"' in each[1]]
    with tempfile.TemporaryDirectory(prefix="krakenwire-bench-") as folder:
        cases = {
            "order-path": lambda: _job(Path(folder), frames, sync=False),
            "order-path-synced": lambda: _job(Path(folder), frames, sync=True),
        }
        series = take_turns(cases, rounds, _microseconds)
    return [measured(name, series[name], "us", note=_NOTES[name]) for name in cases]


_NOTES: Final = {
    "order-path": "limits of risk on, intent written to a file",
    "order-path-synced": "the file system of the temporary folder decides",
}


def _microseconds(job: Job) -> float:
    nanoseconds = job.run()
    job.prove()
    assert isinstance(nanoseconds, float | int)
    return nanoseconds / 1e3


def _job(folder: Path, frames: list[tuple[int, bytes]], *, sync: bool) -> Job:
    path = Path(tempfile.mkdtemp(dir=folder)) / "journal"
    way = _Way(BotJournal(path, deadline_s=_DEADLINE_S, sync=sync), frames[0])
    return Job(lambda: statistics.median(way.trips(frames[1:])), 1, lambda: way.prove(len(frames) - 1))


class _Way:
    """A bot from feed to broker.

    Args:
        journal: of its intents.
        snapshot: the first frame and its time.
    """

    def __init__(self, journal: BotJournal, snapshot: tuple[int, bytes]) -> None:
        self._journal, self._broker = journal, _Words(journal)
        head = records.Head(time_ns=START_NS, account="bench", strategy=_Answers.__name__, prefix="bench-")
        journal.append(head)
        self._feed, self._writer = Feed(ClientCodec()), RowWriter()
        self._take(*snapshot)
        simulator = Simulator(self._writer.listings, FillModel(), now_ns=START_NS)
        self._engine = Engine(
            _Answers(),
            simulator,
            EngineSettings(balances={"USD": Decimal(10_000)}),
            risk=Risk(RiskLimits(), _Answers.symbols),
            journal=journal,
            new_id=journal.new_id,
        )
        self._engine.use_broker(self._broker)
        self._engine.run(self._writer.rows())
        self._engine.start()

    def trips(self, frames: list[tuple[int, bytes]]) -> list[int]:
        """Return the nanoseconds from each frame to its order."""
        took = list(self._trips(frames))
        return took[len(took) // _COLD :]

    def _trips(self, frames: list[tuple[int, bytes]]) -> Iterator[int]:
        sent, clock = self._broker.sent, time.perf_counter_ns
        for time_ns, frame in frames:
            begin = clock()
            self._take(time_ns, frame)
            self._engine.run(self._writer.rows())
            took = clock() - begin
            self._answer(sent[-1], time_ns)
            yield took

    def _take(self, time_ns: int, frame: bytes) -> None:
        for event in self._feed.feed(frame):
            self._writer.take(event, time_ns)

    def _answer(self, order: Order, time_ns: int) -> None:
        """The order is over."""
        self._journal.append(
            records.Ack(time_ns=time_ns, id=order.id, order_id=order.id),
            records.Ended(time_ns=time_ns, id=order.id, state="canceled", filled=Decimal(0)),
            sync=False,
        )
        self._engine.desk.accepted(order, order.id)
        self._engine.desk.ended(order, "canceled")

    def prove(self, count: int) -> None:
        """Each frame has made one order, which stands in the journal and in the last frame."""
        broker, known = self._broker, self._journal.known
        last = broker.sent[-1]
        self._journal.close()
        if (len(broker.sent), len(known.orders), self._feed.counters.verified) != (count, count, count + 1):
            raise AssertionError(f"{len(broker.sent)} orders for {count} frames; {self._engine.log.new_rows()[-1]}")
        if f'"cl_ord_id":"{last.id}"' not in broker.frame or f'"limit_price":{last.limit:f}' not in broker.frame:
            raise AssertionError(f"not the frame of an order: {broker.frame}")
