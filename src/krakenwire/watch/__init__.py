"""Alert rules and the engine that judges them over live data or recordings.

Pure: no clock, socket, file or thread. Start at `rules.py` (what can be
watched), then `engine.py`; the live watcher is `krakenwire.apps.watcher`.
"""

from krakenwire.watch.alert import Alert
from krakenwire.watch.engine import Engine, EngineCounters
from krakenwire.watch.rules import (
    Above,
    Below,
    Condition,
    Crosses,
    Direction,
    Move,
    NoData,
    NotifyUrl,
    PriceSource,
    Rule,
    SpreadWider,
    Volume,
)
from krakenwire.watch.rules_file import RulesFile, rule_from, rules_from
from krakenwire.watch.values import Amount

__all__ = [
    "Above",
    "Alert",
    "Amount",
    "Below",
    "Condition",
    "Crosses",
    "Direction",
    "Engine",
    "EngineCounters",
    "Move",
    "NoData",
    "NotifyUrl",
    "PriceSource",
    "Rule",
    "RulesFile",
    "SpreadWider",
    "Volume",
    "rule_from",
    "rules_from",
]
