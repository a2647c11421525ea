"""The local Kraken: matching, simulated traders, market data and who is told what; pure, no sockets."""

from krakenwire.venue.candles import CandleBook, VenueCandle
from krakenwire.venue.config import STATUSES, VenueConfig
from krakenwire.venue.engine import MatchingEngine
from krakenwire.venue.instruments import ASSETS, INSTRUMENTS, VenueAsset, VenueInstrument, assets, instruments
from krakenwire.venue.market import Market, Quote, VenueTrade
from krakenwire.venue.publisher import Publisher, Topic, TopicKey
from krakenwire.venue.statistics import Statistics
from krakenwire.venue.venue import Venue
from krakenwire.venue.views import (
    BookDiff,
    BookRow,
    BookView,
    Level3Diff,
    Level3Row,
    Level3View,
    LevelChange,
    OrderChange,
)

__all__ = [
    "ASSETS",
    "INSTRUMENTS",
    "STATUSES",
    "BookDiff",
    "BookRow",
    "BookView",
    "CandleBook",
    "Level3Diff",
    "Level3Row",
    "Level3View",
    "LevelChange",
    "Market",
    "MatchingEngine",
    "OrderChange",
    "Publisher",
    "Quote",
    "Statistics",
    "Topic",
    "TopicKey",
    "Venue",
    "VenueAsset",
    "VenueCandle",
    "VenueConfig",
    "VenueInstrument",
    "VenueTrade",
    "assets",
    "instruments",
]
