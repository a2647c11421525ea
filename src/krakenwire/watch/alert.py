"""An alert: what a fired rule says, as a value, a line and a JSON object.

Prices stay exact: in JSON they are numbers in fixed point with all their
digits. Who is told, and how, is not decided here.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from krakenwire.model.times import rfc3339_from_ns
from krakenwire.watch.judges import Detail
from krakenwire.watch.rules import Rule
from krakenwire.watch.values import number_text

__all__ = ["PLACEHOLDERS", "Alert"]

PLACEHOLDERS = ("symbol", "rule", "condition", "price", "time")
"""What a rule's message may name in braces."""


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """One fired rule.

    Args:
        symbol: v2 spelling.
        rule: the rule's name, or its condition in words.
        condition: the condition in words, such as ``above 70000``.
        price: the price judged (`mid` for spreads), None when none is known.
        time_ns: the venue's time of the event that fired it, else when it was
            received; 0 where a recording tells neither.
        source: what the price is: ``last``, ``bid``, ``ask`` or ``mid``.
        details: more values, in a fixed order.
        message: one sentence for a person.
        index: the rule's place in the engine's rules.
    """

    symbol: str
    rule: str
    condition: str
    price: Decimal | None
    time_ns: int
    source: str
    details: tuple[Detail, ...]
    message: str
    index: int

    @property
    def time(self) -> str | None:
        """The time as RFC 3339 with microseconds, None where a recording tells none."""
        return rfc3339_from_ns(self.time_ns) if self.time_ns else None

    def to_json(self) -> str:
        """Return one JSON object on one line, prices as exact numbers."""
        fields: dict[str, object] = {
            "symbol": self.symbol,
            "rule": self.rule,
            "price": _exact(self.price),
            "time": self.time,
            "condition": self.condition,
            "source": self.source,
        }
        fields.update((name, _exact(value) if isinstance(value, Decimal) else value) for name, value in self.details)
        fields["message"] = self.message
        return msgspec.json.encode(fields).decode()


def _exact(value: Decimal | None) -> msgspec.Raw | None:
    return None if value is None else msgspec.Raw(number_text(value).encode())


def alert_for(
    rule: Rule, index: int, price: Decimal | None, time_ns: int, source: str, details: tuple[Detail, ...]
) -> Alert:
    """Return the alert of a rule that fired, with its message written."""
    alert = Alert(
        symbol=rule.symbol,
        rule=rule.title,
        condition=rule.condition.text,
        price=price,
        time_ns=time_ns,
        source=source,
        details=details,
        message="",
        index=index,
    )
    return msgspec.structs.replace(alert, message=_message(rule, alert))


def _message(rule: Rule, alert: Alert) -> str:
    price = "unknown" if alert.price is None else number_text(alert.price)
    if rule.message is None:
        more = "".join(f", {name} {_text(value)}" for name, value in alert.details if name != "level")
        return f"{alert.symbol} {alert.condition}: {alert.source} {price}{more}"
    text = rule.message
    values = (alert.symbol, alert.rule, alert.condition, price, alert.time or "unknown")
    for name, value in zip(PLACEHOLDERS, values, strict=True):
        text = text.replace("{" + name + "}", value)
    return text


def _text(value: Decimal | str) -> str:
    return number_text(value) if isinstance(value, Decimal) else value
