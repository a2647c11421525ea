from collections.abc import Iterator, Mapping

from typing_extensions import Buffer

from krakenwire.model import OrderSide
from krakenwire.venue.matching.orders import BatchResult, EngineEvent, SelfTrade, TimeInForce, Traded

class RestingOrder:
    order_id: int
    side: OrderSide
    price: int
    qty: int
    hidden: int
    time_ns: int
    post_only: bool
    owner: int
    self_trade: SelfTrade
    display_qty: int | None
    reduce_qty: int | None
    @property
    def remaining(self) -> int: ...

class PriceLevel:
    price: int
    qty: int
    hidden: int
    count: int
    time_ns: int
    first: RestingOrder
    last: RestingOrder
    def __iter__(self) -> Iterator[RestingOrder]: ...

class BookSide:
    sign: int
    def __len__(self) -> int: ...
    def best(self) -> PriceLevel | None: ...
    def at(self, rank: int) -> PriceLevel: ...
    def price_at(self, rank: int) -> int: ...
    def level(self, price: int) -> PriceLevel | None: ...
    def top(self, count: int) -> list[PriceLevel]: ...
    def rank(self, price: int) -> int: ...

class MatchingEngine:
    bids: BookSide
    asks: BookSide
    orders: Mapping[int, RestingOrder]
    record_trades: bool
    def __init__(self, record_trades: bool = False) -> None: ...
    def place(
        self,
        order_id: int,
        side: OrderSide,
        qty: int,
        price: int | None,
        time_ns: int,
        time_in_force: TimeInForce = "gtc",
        post_only: bool = False,
        owner: int = 0,
        self_trade: SelfTrade = "cancel_newest",
        display_qty: int | None = None,
        reduce_qty: int | None = None,
    ) -> list[EngineEvent]: ...
    def cancel(self, order_id: int, time_ns: int) -> list[EngineEvent]: ...
    def amend(
        self,
        order_id: int,
        time_ns: int,
        qty: int | None = None,
        price: int | None = None,
        post_only: bool = False,
        display_qty: int | None = None,
        reduce_qty: int | None = None,
    ) -> list[EngineEvent]: ...
    def submit(
        self,
        order_id: int,
        is_sell: bool | int,
        price: int,
        qty: int,
        time_ns: int = 0,
        flags: int = 0,
        owner: int = 0,
        display_qty: int = 0,
        reduce_qty: int = 0,
    ) -> int: ...
    def withdraw(self, order_id: int, time_ns: int = 0) -> bool: ...
    def revise(
        self,
        order_id: int,
        price: int = 0,
        qty: int = 0,
        time_ns: int = 0,
        flags: int = 0,
        display_qty: int = 0,
        reduce_qty: int = 0,
    ) -> int: ...
    def batch(self, rows: Buffer, width: int = 5) -> BatchResult: ...
    def take_trades(self) -> list[Traded]: ...
    def side(self, side: OrderSide) -> BookSide: ...
    def crosses(self, side: OrderSide, price: int) -> bool: ...
    def fillable(
        self,
        side: OrderSide,
        price: int | None,
        enough: int,
        owner: int = 0,
        self_trade: SelfTrade = "cancel_newest",
    ) -> int: ...
