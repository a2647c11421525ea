"""Alert rules: what is watched, when it fires, and who is told.

A rule is a symbol, a condition and its manners (cooldown, one-shot, targets).
Rules are values: they hold no state and judge nothing. `judges.py` judges one
condition, `engine.py` runs all rules, `rules_file.py` makes them from a file.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

import msgspec

from krakenwire.errors import ConfigError
from krakenwire.watch.values import Amount, duration_text, number_text

__all__ = [
    "Above",
    "Below",
    "Condition",
    "Crosses",
    "Direction",
    "Move",
    "NoData",
    "NotifyUrl",
    "PriceSource",
    "Rule",
    "SpreadWider",
    "Volume",
]

PriceSource = Literal["last", "bid", "ask", "mid"]
Direction = Literal["up", "down", "either"]

_ZERO = Decimal(0)


def _positive(what: str, value: Decimal) -> None:
    if not value.is_finite() or value <= 0:
        raise ConfigError(what, expected="a number above zero", found=value)


def _band(what: str, level: Decimal, hysteresis: Decimal) -> None:
    _positive(what, level)
    if not hysteresis.is_finite() or not 0 <= hysteresis < level:
        expected = f"zero or more, and less than the level {number_text(level)}"
        raise ConfigError(f"{what}: hysteresis", expected=expected, found=hysteresis)


class Above(msgspec.Struct, frozen=True):
    """The price is strictly above `level`; again after it was at or below `level - hysteresis`."""

    level: Decimal
    hysteresis: Decimal = _ZERO

    def __post_init__(self) -> None:
        _band("above", self.level, self.hysteresis)

    @property
    def text(self) -> str:
        """As in ``above 70000``."""
        return f"above {number_text(self.level)}"


class Below(msgspec.Struct, frozen=True):
    """The price is strictly below `level`; again after it was at or above `level + hysteresis`."""

    level: Decimal
    hysteresis: Decimal = _ZERO

    def __post_init__(self) -> None:
        _band("below", self.level, self.hysteresis)

    @property
    def text(self) -> str:
        """As in ``below 60000``."""
        return f"below {number_text(self.level)}"


class Crosses(msgspec.Struct, frozen=True):
    """The price goes from one side of `level` to the other.

    A price on the level is on neither side. After an alert the price must have
    been `hysteresis` away from the level, on either side, before the next one:
    then a return through the level fires at the level, and a price that goes
    straight to the far side fires there once it is `hysteresis` beyond.
    """

    level: Decimal
    hysteresis: Decimal = _ZERO

    def __post_init__(self) -> None:
        _band("crosses", self.level, self.hysteresis)

    @property
    def text(self) -> str:
        """As in ``crosses 65000``."""
        return f"crosses {number_text(self.level)}"


class Move(msgspec.Struct, frozen=True):
    """The price differs by at least `percent` from one in force within the last `window_ns`.

    A price is in force until the next one. After an alert the window starts
    anew from the price that fired it.
    """

    percent: Decimal
    window_ns: int
    direction: Direction = "either"

    def __post_init__(self) -> None:
        _positive("move", self.percent)
        _positive("move: window", Decimal(self.window_ns))

    @property
    def text(self) -> str:
        """As in ``moves 2% up within 5m``."""
        way = "" if self.direction == "either" else f" {self.direction}"
        return f"moves {number_text(self.percent)}%{way} within {duration_text(self.window_ns)}"


class SpreadWider(msgspec.Struct, frozen=True):
    """Best ask minus best bid is strictly wider than `than`; again after it was at or under `than - hysteresis`.

    Percent and basis points are of the mid price.
    """

    than: Amount
    hysteresis: Decimal = _ZERO

    def __post_init__(self) -> None:
        _band("spread_wider", self.than.value, self.hysteresis)

    @property
    def text(self) -> str:
        """As in ``spread wider than 5``."""
        return f"spread wider than {self.than.text}"


class Volume(msgspec.Struct, frozen=True):
    """At least `at_least` base units traded within `window_ns`; again after it was under that by `hysteresis`."""

    at_least: Decimal
    window_ns: int
    hysteresis: Decimal = _ZERO

    def __post_init__(self) -> None:
        _band("volume", self.at_least, self.hysteresis)
        _positive("volume: window", Decimal(self.window_ns))

    @property
    def text(self) -> str:
        """As in ``volume 100 within 5m``."""
        return f"volume {number_text(self.at_least)} within {duration_text(self.window_ns)}"


class NoData(msgspec.Struct, frozen=True):
    """No market data of the symbol for `for_ns`, whatever the reason; again after data came."""

    for_ns: int

    def __post_init__(self) -> None:
        _positive("no_data", Decimal(self.for_ns))

    @property
    def text(self) -> str:
        """As in ``no data for 30s``."""
        return f"no data for {duration_text(self.for_ns)}"


Condition = Above | Below | Crosses | Move | SpreadWider | Volume | NoData


class NotifyUrl:
    """A notification address. It may hold a password, so it shows itself as ``scheme://***``."""

    __slots__ = ("_url",)

    def __init__(self, url: str) -> None:
        scheme, separator, rest = url.partition("://")
        if not separator or not rest or not scheme.replace("+", "").replace("-", "").isalnum():
            raise ConfigError("notify", expected="an address such as mailto://user:password@example.com")
        self._url = url

    def reveal(self) -> str:
        """Return the address with its secrets; never print it."""
        return self._url

    def __repr__(self) -> str:
        return self._url.partition("://")[0] + "://***"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, NotifyUrl) and self._url == other._url

    def __hash__(self) -> int:
        return hash(self._url)


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to be told about.

    Args:
        symbol: v2 spelling such as ``BTC/USD``.
        condition: when it fires.
        price: which price is judged; of no account to spread, volume and no data.
        cooldown_ns: least time between two alerts; one that falls into it is counted, not given.
        one_shot: whether the rule is done after its first alert.
        name: what alerts call it; None for the condition's text.
        message: text of its alerts, with ``{symbol} {rule} {condition} {price} {time}``; None for ours.
        notify: addresses to notify.
        run: a command and its arguments, run without a shell.
    """

    symbol: str
    condition: Condition
    price: PriceSource = "last"
    cooldown_ns: int = 0
    one_shot: bool = False
    name: str | None = None
    message: str | None = None
    notify: tuple[NotifyUrl, ...] = ()
    run: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """The rule's name, or its condition in words."""
        return self.name or self.condition.text
