"""Random requests of every kind from a few accounts, some rich, some poor: for runs that check what always holds."""

from __future__ import annotations

from decimal import Decimal
from random import Random
from typing import Any

from tests.unit.venue.trading.desks import SECOND, Floor

from krakenwire.model.orders import (
    AddOrder,
    AmendOrder,
    BatchAdd,
    BatchCancel,
    CancelAll,
    CancelAllAfter,
    CancelOrders,
    Conditional,
    EditOrder,
    TradingRequest,
    Trigger,
)
from krakenwire.venue.trading import Account

_TYPES = ("limit",) * 10 + (
    "market",
    "market",
    "iceberg",
    "stop-loss",
    "stop-loss-limit",
    "take-profit",
    "take-profit-limit",
    "trailing-stop",
    "trailing-stop-limit",
    "settle-position",
)
_LIMITED = ("limit", "iceberg", "stop-loss-limit", "take-profit-limit")


class Crowd:
    """Draws requests from a seed, around a price that wanders.

    Args:
        floor: where they trade.
        seed: of the requests.
    """

    def __init__(self, floor: Floor, seed: int) -> None:
        self.floor, self.random = floor, Random(seed)
        self.mid = {symbol: Decimal(50_000 if symbol == "BTC/USD" else "0.03") for symbol in floor.exchange.desks}
        self.accounts = [
            floor.account("rich", USD="10000000", BTC="500", ETH="9000"),
            floor.account("richer", USD="90000000", BTC="5000", ETH="90000"),
            floor.account("poor", USD="150", BTC="0.002", ETH="0.1"),
            floor.account("odd", USD="12345.6789", BTC="1.2345678901", ETH="7.7777777777"),
            floor.account("daring", USD="60000", BTC="1"),
        ]
        self.accounts[-1].margin = True
        self.numbers = 0

    def act(self) -> tuple[Account, TradingRequest]:
        """Let one account ask for something, or some time pass; return who asked for what."""
        random, floor = self.random, self.floor
        floor.now_ns += random.randrange(1_000, 200_000_000)
        if random.random() < 0.02:
            floor.exchange.poll(floor.now_ns)
        account = random.choice(self.accounts)
        kind = random.choices(
            (self.add, self.amend, self.cancel, self.edit, self.batch, self.rare), (60, 15, 14, 4, 4, 0.4)
        )[0]
        request = kind(account)
        floor.exchange.execute(account, request, floor.now_ns)
        return account, request

    def add(self, account: Account, symbol: str | None = None) -> AddOrder:
        random = self.random
        symbol = symbol or random.choice(list(self.floor.exchange.desks))
        self.mid[symbol] *= Decimal(1) + Decimal(random.choice((-1, 0, 1))) / 2_000
        kind = random.choice(_TYPES)
        more: dict[str, Any] = {}
        if kind in _LIMITED or random.random() < 0.02:
            more["limit_price"] = self.price(symbol)
        if kind == "trailing-stop-limit":
            more |= {"limit_price": self.tick(symbol) * random.randrange(0, 9), "limit_price_type": "quote"}
        if kind.startswith(("stop", "take")):
            more["triggers"] = Trigger(price=self.price(symbol), reference=random.choice(("last", "index")))
        if kind.startswith("trailing"):
            more["triggers"] = Trigger(price=Decimal(random.randrange(1, 50)) / 10, price_type="pct")
        qty = self.qty(symbol)
        if kind == "iceberg":
            more["display_qty"] = (qty / random.randrange(1, 17)).quantize(Decimal("1e-8"))
        more |= self.options(kind)
        if random.random() < (0.6 if account.margin else 0.01):
            more |= {"leverage": random.choice((2, 3, 5, 10))} if random.random() < 0.5 else {"margin": True}
            more["reduce_only"] = random.random() < 0.2
        if kind == "market" and random.random() < 0.2:
            more["cash_order_qty"] = Decimal(random.randrange(1, 10_000)) / random.choice((1, 100))
        return AddOrder(
            symbol=symbol,
            side=random.choice(("buy", "sell")),
            order_type=kind,  # type: ignore[arg-type]  # one of the table's
            order_qty=None if "cash_order_qty" in more else qty,
            **more,
        )

    def options(self, kind: str) -> dict[str, Any]:
        """What an order may say beyond size and price, now and then contradicting itself."""
        random, options = self.random, dict[str, Any]()
        if random.random() < 0.1:
            options["fee_preference"] = random.choice(("base", "quote"))
        if random.random() < 0.2:
            options["stp_type"] = random.choice(("cancel_newest", "cancel_oldest", "cancel_both"))
        if random.random() < 0.1:
            options["time_in_force"] = random.choice(("ioc", "fok", "gtd"))
        if options.get("time_in_force") == "gtd" or random.random() < 0.01:
            options["expire_time_ns"] = self.floor.now_ns + random.randrange(-1, 60) * SECOND
        if random.random() < 0.02:
            options["effective_time_ns"] = self.floor.now_ns + random.randrange(-1, 30) * SECOND
        if random.random() < 0.1:
            options["post_only"] = True
        if random.random() < 0.2:
            self.numbers += 1
            options["cl_ord_id"] = f"own-{self.numbers % 300}"
        elif random.random() < 0.2:
            options["order_userref"] = random.randrange(5)
        if kind == "limit" and "cl_ord_id" not in options and random.random() < 0.05:
            options["conditional"] = Conditional(
                order_type="limit", limit_price=Decimal(random.randrange(-300, 300)), limit_price_type="quote"
            )
        return options

    def amend(self, account: Account) -> AmendOrder:
        random = self.random
        order_id, symbol = self.some_order(account)
        return AmendOrder(
            order_id=order_id,
            order_qty=self.qty(symbol) if random.random() < 0.6 else None,
            limit_price=self.price(symbol) if random.random() < 0.5 else None,
            trigger_price=self.price(symbol) if random.random() < 0.1 else None,
            display_qty=self.qty(symbol) if random.random() < 0.1 else None,
            post_only=random.random() < 0.1,
        )

    def edit(self, account: Account) -> EditOrder:
        order_id, symbol = self.some_order(account)
        return EditOrder(
            order_id=order_id,
            order_qty=self.qty(symbol) if self.random.random() < 0.5 else None,
            limit_price=self.price(symbol) if self.random.random() < 0.7 else None,
        )

    def cancel(self, account: Account) -> CancelOrders:
        ids = tuple(self.some_order(account)[0] for _ in range(self.random.randrange(1, 4)))
        return CancelOrders(order_ids=ids, order_userrefs=(self.random.randrange(5),) if len(ids) == 3 else ())

    def batch(self, account: Account) -> TradingRequest:
        if self.random.random() < 0.5:
            return BatchCancel(order_ids=tuple(self.some_order(account)[0] for _ in range(5)))
        symbol = self.random.choice(list(self.floor.exchange.desks))
        return BatchAdd(symbol=symbol, orders=tuple(self.add(account, symbol) for _ in range(2)))

    def rare(self, _: Account) -> TradingRequest:
        return CancelAll() if self.random.random() < 0.5 else CancelAllAfter(timeout_s=self.random.randrange(0, 90))

    def some_order(self, account: Account) -> tuple[str, str]:
        """An open order of the account, seldom of another one or none."""
        owner = account if self.random.random() < 0.97 else self.random.choice(self.accounts)
        if not owner.open_orders:
            return "OAAAAA-AAAAA-AAAAAA", "BTC/USD"
        order = self.random.choice(list(owner.open_orders.values()))
        return order.order_id, order.symbol

    def tick(self, symbol: str) -> Decimal:
        return self.floor.exchange.desks[symbol].terms.instrument.price_increment

    def price(self, symbol: str) -> Decimal:
        price = self.mid[symbol] * (1 + Decimal(round(self.random.gauss(0, 15))) / 10_000)
        return price.quantize(self.tick(symbol))

    def qty(self, symbol: str) -> Decimal:
        """Mostly small, seldom enormous, now and then odd or too small."""
        scale = self.random.choice((1, 1, 1, 1, 10, 3_000)) * (1 if symbol == "BTC/USD" else 20)
        return Decimal(self.random.randrange(1, 10_000_000) * scale).scaleb(-8)
