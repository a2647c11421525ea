"""Rules from a parsed TOML document: every key checked, every mistake explained in one sentence.

It reads no file: the caller parses the text (numbers as `Decimal`) and passes
the document in. The format is described in ``docs/watcher.md``; the meaning of
each condition is in `rules.py`.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Final, TypeVar

import msgspec

from krakenwire.errors import ConfigError, SymbolError
from krakenwire.limits import WATCH_RULES_MAX
from krakenwire.protocol.symbols import to_v2
from krakenwire.watch.alert import PLACEHOLDERS
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
from krakenwire.watch.values import amount_from, duration_from, number_from

__all__ = ["RulesFile", "rule_from", "rules_from"]

Fields = Mapping[str, object]
Naming = Callable[[str], str]
_Choice = TypeVar("_Choice", bound=str)

_PRICES: Final[tuple[PriceSource, ...]] = ("last", "bid", "ask", "mid")
_DIRECTIONS: Final[tuple[Direction, ...]] = ("up", "down", "either")

_SETTINGS: Final[dict[str, tuple[str, ...]]] = {
    "above": ("hysteresis", "price"),
    "below": ("hysteresis", "price"),
    "crosses": ("hysteresis", "price"),
    "move": ("window", "direction", "price"),
    "spread_wider": ("hysteresis",),
    "volume": ("window", "hysteresis"),
    "no_data": (),
}
"""Each condition, and the settings that have a meaning with it."""

_MANNERS: Final = ("symbol", "symbols", "cooldown", "one_shot", "name", "message", "notify", "run")
_DEFAULTS: Final = ("price", "window", "hysteresis", "direction", "cooldown", "one_shot", "message")
_NOTIFY: Final = ("urls", "bell", "run")
_TABLES: Final = ("defaults", "notify", "rule")
_RULE_KEYS: Final = tuple(dict.fromkeys((*_SETTINGS, *(k for keys in _SETTINGS.values() for k in keys), *_MANNERS)))


class RulesFile(msgspec.Struct, frozen=True):
    """What a rules file says: its rules in order, and whether to ring the bell."""

    rules: tuple[Rule, ...]
    bell: bool = False


def rules_from(document: Fields, source: str) -> RulesFile:
    """Return the rules of a parsed document.

    Args:
        document: the TOML document as a dictionary, numbers as int or `Decimal`.
        source: the file's name, for errors.

    Raises:
        ConfigError: an unknown key, a wrong type, unit or symbol, values that
            contradict each other, or no rule; it names file, rule and key.
    """
    _known(document, _TABLES, lambda key: f'{source}: "{key}"')
    defaults = _table(document, "defaults", source, _DEFAULTS)
    notify = _table(document, "notify", source, _NOTIFY)
    tables = document.get("rule", [])
    if not isinstance(tables, list) or not tables or not all(isinstance(table, dict) for table in tables):
        raise ConfigError(
            f"{source}: no rules", expected="at least one [[rule]] table", found=_kind(document.get("rule"))
        )
    shared = _shared(defaults, notify, source)
    rules = [
        rule for number, table in enumerate(tables, 1) for rule in _rules(table, shared, f"{source}: rule {number}")
    ]
    if len(rules) > WATCH_RULES_MAX:
        raise ConfigError(f"{source}: too many rules", expected=f"at most {WATCH_RULES_MAX}", found=len(rules))
    bell = _flag(notify.get("bell", False), f'{source}: [notify]: "bell"')
    return RulesFile(tuple(rules), bell)


def rule_from(fields: Fields, symbol: str, named: Naming) -> Rule:
    """Return one rule of one symbol.

    Args:
        fields: one condition, its settings and manners, spelled as in a rules file.
        symbol: any spelling of the symbol.
        named: how the user knows a key, for errors.

    Raises:
        ConfigError: as `rules_from`.
    """
    kind = _kind_of_condition(fields, named)
    for key in fields:
        if key not in (kind, *_SETTINGS[kind], *_MANNERS):
            allowed = ", ".join(_SETTINGS[kind]) or "no setting of its own"
            raise ConfigError(named(key), expected=f"with {kind}: {allowed}", found=f"{key} beside {kind}")
    name, message = (_text(fields[key], named(key)) if key in fields else None for key in ("name", "message"))
    if message is not None:
        _check_placeholders(message, named("message"))
    return Rule(
        symbol=_symbol(symbol, named("symbol")),
        condition=_condition(kind, fields, named),
        price=_one_of(fields.get("price", "last"), _PRICES, named("price")),
        cooldown_ns=duration_from(named("cooldown"), fields.get("cooldown", 0), zero=True),
        one_shot=_flag(fields.get("one_shot", False), named("one_shot")),
        name=name,
        message=message,
        notify=_urls(fields.get("notify", []), named("notify")),
        run=_command(fields.get("run", []), named("run")),
    )


# -- one rule table ------------------------------------------------------------


def _rules(table: Fields, shared: Fields, where: str) -> Iterator[Rule]:
    def named(key: str) -> str:
        return f'{where}: "{key}"'

    _known(table, _RULE_KEYS, named)
    kind = _kind_of_condition(table, named)
    meant = {key: value for key, value in shared.items() if key in _SETTINGS[kind] or key in _MANNERS}
    for symbol in _symbols(table, named):
        yield rule_from({**meant, **table}, symbol, named)


def _symbols(table: Fields, named: Naming) -> tuple[str, ...]:
    one, several = table.get("symbol"), table.get("symbols")
    if (one is None) == (several is None):
        found = "neither" if one is None else "both"
        raise ConfigError(named("symbol"), expected='either symbol = "BTC/USD" or symbols = [...]', found=found)
    if one is not None:
        return (_text(one, named("symbol")),)
    return _texts(several, named("symbols"), 'a list of symbols such as ["BTC/USD", "ETH/USD"]')


def _kind_of_condition(fields: Fields, named: Naming) -> str:
    kinds = [kind for kind in _SETTINGS if kind in fields]
    if len(kinds) != 1:
        what = named(kinds[1] if kinds else "condition")
        found = " and ".join(kinds) or "none"
        raise ConfigError(what, expected="exactly one of " + ", ".join(_SETTINGS), found=found)
    return kinds[0]


def _condition(kind: str, fields: Fields, named: Naming) -> Condition:
    return _READERS[kind](kind, fields, named)


_LEVELS: Final[dict[str, Callable[[Decimal, Decimal], Above | Below | Crosses]]] = {
    "above": Above,
    "below": Below,
    "crosses": Crosses,
}


def _level(kind: str, fields: Fields, named: Naming) -> Condition:
    level = number_from(named(kind), fields[kind])
    hysteresis = amount_from(named("hysteresis"), fields.get("hysteresis", 0), zero=True).of(level)
    _within(hysteresis, level, named("hysteresis"))
    return _LEVELS[kind](level, hysteresis)


def _move(kind: str, fields: Fields, named: Naming) -> Condition:
    value = fields[kind]
    percent = amount_from(named(kind), value, units=("percent",)) if isinstance(value, str) else None
    number = number_from(named(kind), value) if percent is None else percent.value
    return Move(
        number,
        _window(kind, fields, named),
        _one_of(fields.get("direction", "either"), _DIRECTIONS, named("direction")),
    )


def _spread(kind: str, fields: Fields, named: Naming) -> Condition:
    than = amount_from(named(kind), fields[kind])
    hysteresis = number_from(named("hysteresis"), fields.get("hysteresis", 0), zero=True)
    _within(hysteresis, than.value, named("hysteresis"))
    return SpreadWider(than, hysteresis)


def _volume(kind: str, fields: Fields, named: Naming) -> Condition:
    at_least = number_from(named(kind), fields[kind])
    hysteresis = number_from(named("hysteresis"), fields.get("hysteresis", 0), zero=True)
    _within(hysteresis, at_least, named("hysteresis"))
    return Volume(at_least, _window(kind, fields, named), hysteresis)


def _no_data(kind: str, fields: Fields, named: Naming) -> Condition:
    return NoData(duration_from(named(kind), fields[kind]))


_READERS: Final[dict[str, Callable[[str, Fields, Naming], Condition]]] = {
    "above": _level,
    "below": _level,
    "crosses": _level,
    "move": _move,
    "spread_wider": _spread,
    "volume": _volume,
    "no_data": _no_data,
}


def _window(kind: str, fields: Fields, named: Naming) -> int:
    if "window" not in fields:
        raise ConfigError(named("window"), expected=f'the time {kind} is judged over, such as "5m"', found="none")
    return duration_from(named("window"), fields["window"])


def _within(hysteresis: Decimal, level: Decimal, what: str) -> None:
    if hysteresis >= level:
        raise ConfigError(
            what, expected=f"less than {level:f}, or the rule could never fire again", found=f"{hysteresis:f}"
        )


# -- defaults and notify ---------------------------------------------------------


def _shared(defaults: Fields, notify: Fields, source: str) -> Fields:
    """What the tables [defaults] and [notify] add to each rule that does not say otherwise."""

    def named(key: str) -> str:
        return f'{source}: [notify]: "{key}"'

    added: dict[str, object] = dict(defaults)
    if "urls" in notify:
        _urls(notify["urls"], named("urls"))
        added["notify"] = notify["urls"]
    if "run" in notify:
        _command(notify["run"], named("run"))
        added["run"] = notify["run"]
    return added


def _table(document: Fields, name: str, source: str, keys: tuple[str, ...]) -> Fields:
    table = document.get(name, {})
    if not isinstance(table, dict):
        raise ConfigError(f'{source}: "{name}"', expected=f"a table [{name}]", found=_kind(table))
    _known(table, keys, lambda key: f'{source}: [{name}]: "{key}"')
    return table


# -- small readers -----------------------------------------------------------------


def _known(fields: Iterable[str], keys: tuple[str, ...], named: Naming) -> None:
    for key in fields:
        if key not in keys:
            near = difflib.get_close_matches(key, keys, 1, 0.6)
            hint = f'Did you mean "{near[0]}"?' if near else ""
            raise ConfigError(f"{named(key)} is not known", expected="one of " + ", ".join(keys), found=key, hint=hint)


def _symbol(text: str, what: str) -> str:
    try:
        return to_v2(text)
    except SymbolError as error:
        raise ConfigError(what, expected="a symbol such as BTC/USD", found=f'"{text}"', hint=error.hint) from None


def _text(value: object, what: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ConfigError(what, expected="text in quotes", found=_kind(value))
    return value


def _texts(value: object, what: str, expected: str) -> tuple[str, ...]:
    if (
        not isinstance(value, list | tuple)
        or not value
        or not all(isinstance(item, str) and item.strip() for item in value)
    ):
        raise ConfigError(what, expected=expected, found=_kind(value))
    return tuple(value)


def _flag(value: object, what: str) -> bool:
    if not isinstance(value, bool):
        raise ConfigError(what, expected="true or false", found=_kind(value))
    return value


def _one_of(value: object, allowed: tuple[_Choice, ...], what: str) -> _Choice:
    for choice in allowed:
        if value == choice:
            return choice
    near = difflib.get_close_matches(value, allowed, 1) if isinstance(value, str) else []
    hint = f'Did you mean "{near[0]}"?' if near else ""
    raise ConfigError(what, expected="one of " + ", ".join(allowed), found=_kind(value), hint=hint)


def _urls(value: object, what: str) -> tuple[NotifyUrl, ...]:
    if value in ([], ()):
        return ()
    listed = [value] if isinstance(value, str) else value
    expected = "a list of addresses such as mailto://user:password@example.com"
    try:
        return tuple(NotifyUrl(url) for url in _texts(listed, what, expected))
    except ConfigError:
        # What was found stays unsaid: an address may hold a password.
        raise ConfigError(what, expected=expected) from None


def _command(value: object, what: str) -> tuple[str, ...]:
    if value in ([], ()):
        return ()
    return _texts(value, what, 'a command and its arguments, such as ["notify-send", "price"]')


def _check_placeholders(message: str, what: str) -> None:
    for name in re.findall(r"\{(\w*)\}", message):
        if name not in PLACEHOLDERS:
            near = difflib.get_close_matches(name, PLACEHOLDERS, 1)
            hint = f"Did you mean {{{near[0]}}}?" if near else ""
            expected = "placeholders among " + " ".join(f"{{{known}}}" for known in PLACEHOLDERS)
            raise ConfigError(what, expected=expected, found=f"{{{name}}}", hint=hint)


def _kind(value: object) -> str:
    """Say what was found, in TOML's words."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    return "a table" if isinstance(value, dict) else str(value)
