"""Session: the life of a client's connection, without input or output of its own."""

from krakenwire.session.account import AccountCounters, AccountState, Step
from krakenwire.session.calls import Call, Calls
from krakenwire.session.config import SessionConfig
from krakenwire.session.counters import SessionCounters
from krakenwire.session.effects import Close, Effect, FetchToken, LookUp, Open, Send
from krakenwire.session.feed import Feed, FeedCounters
from krakenwire.session.hub import Hub
from krakenwire.session.intake import NO_REPLY
from krakenwire.session.lane import Lane
from krakenwire.session.listeners import Listener
from krakenwire.session.lookup import Findings, Lookup, Missing
from krakenwire.session.mailbox import Mailbox, Policy
from krakenwire.session.order_checks import check_request
from krakenwire.session.orders import Orders, Pending
from krakenwire.session.pacer import Pacer, RestPacer
from krakenwire.session.ports import Codec
from krakenwire.session.reading import Sink
from krakenwire.session.reconnect import ConnectionBudget
from krakenwire.session.session import Session, SessionState
from krakenwire.session.streams import KINDS, Stream, StreamItem
from krakenwire.session.switch import DeadMansSwitch, SwitchState

__all__ = [
    "KINDS",
    "NO_REPLY",
    "AccountCounters",
    "AccountState",
    "Call",
    "Calls",
    "Close",
    "Codec",
    "ConnectionBudget",
    "DeadMansSwitch",
    "Effect",
    "Feed",
    "FeedCounters",
    "FetchToken",
    "Findings",
    "Hub",
    "Lane",
    "Listener",
    "LookUp",
    "Lookup",
    "Mailbox",
    "Missing",
    "Open",
    "Orders",
    "Pacer",
    "Pending",
    "Policy",
    "RestPacer",
    "Send",
    "Session",
    "SessionConfig",
    "SessionCounters",
    "SessionState",
    "Sink",
    "Step",
    "Stream",
    "StreamItem",
    "SwitchState",
    "check_request",
]
