"""The local Kraken: matching, simulated traders, market data and who is told what; pure, no sockets."""

from krakenwire.venue.config.venue_config import STATUSES, VenueConfig
from krakenwire.venue.gateways.publisher import Publisher, Topic, TopicKey
from krakenwire.venue.gateways.views import (
    BookDiff,
    BookRow,
    BookView,
    Level3Diff,
    Level3Row,
    Level3View,
    LevelChange,
    OrderChange,
)
from krakenwire.venue.market.candles import CandleBook, VenueCandle
from krakenwire.venue.market.instruments import ASSETS, INSTRUMENTS, VenueAsset, VenueInstrument, assets, instruments
from krakenwire.venue.market.market import Market, Quote, VenueTrade
from krakenwire.venue.market.statistics import Statistics
from krakenwire.venue.matching.engine import MatchingEngine
from krakenwire.venue.venue import Venue

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
