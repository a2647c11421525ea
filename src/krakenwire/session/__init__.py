"""Session: the life of a client's connection, without input or output of its own."""

from krakenwire.session.config import SessionConfig
from krakenwire.session.counters import SessionCounters
from krakenwire.session.effects import Close, Effect, Open, Send
from krakenwire.session.feed import Feed, FeedCounters
from krakenwire.session.hub import Hub
from krakenwire.session.intake import NO_REPLY
from krakenwire.session.lane import Lane
from krakenwire.session.listeners import Listener
from krakenwire.session.mailbox import Mailbox, Policy
from krakenwire.session.ports import Codec
from krakenwire.session.reading import Sink
from krakenwire.session.reconnect import ConnectionBudget
from krakenwire.session.session import Session, SessionState
from krakenwire.session.streams import KINDS, Stream, StreamItem

__all__ = [
    "KINDS",
    "NO_REPLY",
    "Close",
    "Codec",
    "ConnectionBudget",
    "Effect",
    "Feed",
    "FeedCounters",
    "Hub",
    "Lane",
    "Listener",
    "Mailbox",
    "Open",
    "Policy",
    "Send",
    "Session",
    "SessionConfig",
    "SessionCounters",
    "SessionState",
    "Sink",
    "Stream",
    "StreamItem",
]
