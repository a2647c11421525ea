"""Values of the trade: exact numbers, times, instruments, market data, orders, fills, feed events."""

from krakenwire.model.account import AccountChange, AccountChanged, Fill, OrderState
from krakenwire.model.answers import (
    Added,
    AllCanceled,
    Amended,
    Answer,
    BatchAdded,
    BatchCanceled,
    Canceled,
    Edited,
    OrderRefused,
    TimerSet,
    TradingReply,
)
from krakenwire.model.executions import (
    BalanceChange,
    BalanceChanges,
    Balances,
    Contingent,
    ExecType,
    Execution,
    Executions,
    Fee,
    OrderStatus,
    TriggerState,
    Wallet,
    WalletBalance,
)
from krakenwire.model.feed import (
    ChecksumFailed,
    Connected,
    Disconnected,
    Gap,
    Heartbeat,
    Latency,
    Malformed,
    Pong,
    RawFrame,
    Refused,
    Resynced,
    Status,
    Subscribed,
    SwitchFired,
    Unknown,
    Unsubscribed,
)
from krakenwire.model.figures import FeeTier, PositionRecord, TradeBalance, TradeVolume, WebSocketToken
from krakenwire.model.instruments import Asset, Instrument, Instruments
from krakenwire.model.market import (
    BookReading,
    BookUpdate,
    Candle,
    Candles,
    Kind,
    Level,
    Level3Order,
    Level3Reading,
    Level3Update,
    OrderSide,
    Spread,
    Ticker,
    Trade,
    Trades,
    WireLevel,
)
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
    FeePreference,
    OrderType,
    PriceType,
    SelfTradePrevention,
    TimeInForce,
    TradingRequest,
    Trigger,
    TriggerReference,
)
from krakenwire.model.outcomes import Outcome, Unanswered
from krakenwire.model.permissions import PERMISSION_WORDS, KeyInfo, Permission
from krakenwire.model.records import (
    AmendRecord,
    AssetBalance,
    LedgerRecord,
    OrderRecord,
    RecordStatus,
    TradeRecord,
    order_record,
    trade_record,
)
from krakenwire.model.subscription import ACCOUNT_CHANNELS, CHANNELS, Subscription, SubscriptionKey

Event = (
    AccountChanged
    | BalanceChanges
    | Balances
    | BookUpdate
    | Candle
    | Candles
    | ChecksumFailed
    | Connected
    | Disconnected
    | Executions
    | Gap
    | Heartbeat
    | Instruments
    | Latency
    | Level3Update
    | Malformed
    | Pong
    | RawFrame
    | Refused
    | Resynced
    | Spread
    | Status
    | Subscribed
    | SwitchFired
    | Ticker
    | Trade
    | Trades
    | TradingReply
    | Unknown
    | Unsubscribed
)
"""Anything a feed can say."""

__all__ = [
    "ACCOUNT_CHANNELS",
    "CHANNELS",
    "PERMISSION_WORDS",
    "AccountChange",
    "AccountChanged",
    "AddOrder",
    "Added",
    "AllCanceled",
    "AmendOrder",
    "AmendRecord",
    "Amended",
    "Answer",
    "Asset",
    "AssetBalance",
    "BalanceChange",
    "BalanceChanges",
    "Balances",
    "BatchAdd",
    "BatchAdded",
    "BatchCancel",
    "BatchCanceled",
    "BookReading",
    "BookUpdate",
    "CancelAll",
    "CancelAllAfter",
    "CancelOrders",
    "Canceled",
    "Candle",
    "Candles",
    "ChecksumFailed",
    "Conditional",
    "Connected",
    "Contingent",
    "Disconnected",
    "EditOrder",
    "Edited",
    "Event",
    "ExecType",
    "Execution",
    "Executions",
    "Fee",
    "FeePreference",
    "FeeTier",
    "Fill",
    "Gap",
    "Heartbeat",
    "Instrument",
    "Instruments",
    "KeyInfo",
    "Kind",
    "Latency",
    "LedgerRecord",
    "Level",
    "Level3Order",
    "Level3Reading",
    "Level3Update",
    "Malformed",
    "OrderRecord",
    "OrderRefused",
    "OrderSide",
    "OrderState",
    "OrderStatus",
    "OrderType",
    "Outcome",
    "Permission",
    "Pong",
    "PositionRecord",
    "PriceType",
    "RawFrame",
    "RecordStatus",
    "Refused",
    "Resynced",
    "SelfTradePrevention",
    "Spread",
    "Status",
    "Subscribed",
    "Subscription",
    "SubscriptionKey",
    "SwitchFired",
    "Ticker",
    "TimeInForce",
    "TimerSet",
    "Trade",
    "TradeBalance",
    "TradeRecord",
    "TradeVolume",
    "Trades",
    "TradingReply",
    "TradingRequest",
    "Trigger",
    "TriggerReference",
    "TriggerState",
    "Unanswered",
    "Unknown",
    "Unsubscribed",
    "Wallet",
    "WalletBalance",
    "WebSocketToken",
    "WireLevel",
    "order_record",
    "trade_record",
]
