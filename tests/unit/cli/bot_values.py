"""One moment of a bot and one row of each kind, to show."""

from __future__ import annotations

from decimal import Decimal

from krakenwire.trading.run_records import DecisionRow, EquityRow, FillRow, NoteRow, OrderRow, RunHead, RunRow
from krakenwire.trading.run_status import FeedHealth, OpenOrder, RecentFill, RiskUse, RunStatus

SECOND = 1_000_000_000
START = 1_795_860_000 * SECOND
NOW = START + 3_607 * SECOND + 250_000_000

HEAD = RunHead(
    run="paper-1",
    strategy="Grid",
    mode="paper",
    source="local",
    symbols=("BTC/USD",),
    start_ns=START,
    version="1.0",
    parameters={"levels": 5, "step": "0.5"},
    balances={"USD": Decimal("1E+5")},
)
DECISION = DecisionRow(
    time_ns=NOW, action="buy", symbol="BTC/USD", id="b1", qty=Decimal("0.10"), limit=Decimal("60000.0"), mid=None
)
SENT = OrderRow(
    time_ns=NOW,
    id="b1",
    symbol="BTC/USD",
    side="buy",
    order_type="limit",
    state="sent",
    qty=Decimal("0.10"),
    filled=Decimal(0),
    limit=Decimal("60000.0"),
    decided_ns=NOW - 1_500_000,
)
FILL = FillRow(
    time_ns=NOW,
    exec_id="x1",
    id="b1",
    symbol="BTC/USD",
    side="buy",
    price=Decimal("60000.0"),
    qty=Decimal("0.00000001"),
    fee=Decimal("0.0000015"),
    maker=True,
    position=Decimal("0.00000001"),
)
EQUITY = EquityRow(
    time_ns=NOW,
    equity=Decimal("100012.345"),
    cash=Decimal(99000),
    positions={"BTC/USD": Decimal("0.1")},
    mids={"BTC/USD": Decimal("60000.05")},
)
NOTE = NoteRow(time_ns=NOW, kind="slow", text="on_book took 71 ms", symbol="BTC/USD")
ROWS: tuple[RunRow, ...] = (HEAD, DECISION, SENT, FILL, EQUITY, NOTE)

STATUS = RunStatus(
    run="paper-1",
    strategy="Grid",
    mode="paper",
    source="local",
    time_ns=NOW,
    started_ns=START,
    state="running",
    quote="USD",
    equity=Decimal("100012.345"),
    day_profit=Decimal("-4.5"),
    profit=Decimal("12.345"),
    cash=Decimal("99000.5"),
    balances={"USD": Decimal("99000.5"), "BTC": Decimal("0.1")},
    positions={"BTC/USD": Decimal("0.1"), "ETH/USD": Decimal(0)},
    orders=(
        OpenOrder(
            id="b7",
            symbol="BTC/USD",
            side="buy",
            qty=Decimal("0.10"),
            filled=Decimal("0.04"),
            state="partly_filled",
            limit=Decimal("59990.0"),
            tag="g3",
        ),
        OpenOrder(
            id="b8", symbol="ETH/USD", side="sell", qty=Decimal(2), filled=Decimal(0), state="sent", limit=None, tag=""
        ),
    ),
    fills=(
        RecentFill(
            time_ns=NOW - 9 * SECOND,
            symbol="BTC/USD",
            side="sell",
            price=Decimal("60010.0"),
            qty=Decimal("0.10"),
            fee=Decimal("15.0025"),
            maker=False,
        ),
        RecentFill(
            time_ns=NOW - 3 * SECOND,
            symbol="BTC/USD",
            side="buy",
            price=Decimal("59990.0"),
            qty=Decimal("0.04"),
            fee=Decimal("0.005"),
            maker=True,
        ),
    ),
    feeds=(
        FeedHealth(
            symbol="BTC/USD",
            live=True,
            age_ns=120_000_000,
            bid=Decimal("60000.0"),
            ask=Decimal("60000.1"),
            gaps=1,
            conflated=1234,
        ),
        FeedHealth(symbol="ETH/USD", live=False),
    ),
    risk=(
        RiskUse(rule="open_orders_max", used=Decimal(2), limit=Decimal(20)),
        RiskUse(rule="daily_loss_max", used=Decimal("4.5"), limit=Decimal(250)),
        RiskUse(rule="position_notional_max", used=Decimal(6000), limit=Decimal(5000)),
        RiskUse(rule="orders_per_day_max", used=Decimal(1), limit=Decimal(0)),
    ),
    notes=("09:00:02 quoting again", "09:00:04 slow: on_book took 71 ms"),
    frames=123_456,
    verified=100_000,
    conflated=1234,
    backlog=3,
    slow=1,
    refused=2,
    orders_sent=41,
    fills_total=17,
    fees=Decimal("15.0075"),
    latency_us=480.5,
)
