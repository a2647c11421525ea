"""Reads settings out of a parsed document, each checked and named by its path: `accounts[1].balances.BTC`.

Knows kinds of values, not what they are for; that is in `accounts_config.py`
and `asset_pairs.py`. Whatever is wrong is a `ConfigError` that tells the path,
what was expected and what was found; what is secret is told by nobody.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping
from decimal import Decimal
from typing import TypeVar

from krakenwire.errors import ConfigError, DecodeError
from krakenwire.model.numbers import decimal_from_text

__all__ = ["Table", "table_of"]

_Choice = TypeVar("_Choice", bound=str)


def table_of(value: object, path: str, members: Collection[str] | None = None) -> Table:
    """Return a reader of a table.

    Args:
        value: what stands in the document.
        path: where it stands; empty for the document itself.
        members: what it may have; None for names of the user's choice.

    Raises:
        ConfigError: not a table, or a member that is not known.
    """
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        found = "a text" if isinstance(value, str) else shown(value)  # a key put in the wrong place stays unsaid
        raise ConfigError(path or "the document", expected="a table", found=found)
    table = Table(value, path)
    known = value if members is None else members
    for name in value:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1, 0.6)
            hint = f'Did you mean "{near[0]}"?' if near else ""
            raise ConfigError(f"{table.path(name)} is not known", expected="one of " + ", ".join(known), hint=hint)
    return table


class Table:
    """One table of a document.

    Args:
        values: its members.
        place: where it stands; empty for the document itself.
    """

    def __init__(self, values: Mapping[str, object], place: str) -> None:
        self._values, self._place = values, place

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def path(self, name: str) -> str:
        """Return where a member stands."""
        return f"{self._place}.{name}" if self._place else name

    def wrong(self, name: str, expected: str, *, hint: str = "", secret: bool = False) -> ConfigError:
        """Return the error of a member that is not as expected."""
        found = None if secret else shown(self._values.get(name))
        return ConfigError(self.path(name), expected=expected, found=found, hint=hint)

    def table(self, name: str, members: Collection[str] | None = None) -> Table:
        """Return a table inside this one, empty when it is missing."""
        return table_of(self._values.get(name, {}), self.path(name), members)

    def tables(self, name: str, members: Collection[str]) -> list[Table]:
        """Return the tables of a list, none when it is missing."""
        value = self._values.get(name, [])
        if not isinstance(value, list | tuple):
            raise self.wrong(name, "a list of tables")
        return [table_of(item, f"{self.path(name)}[{number}]", members) for number, item in enumerate(value)]

    def is_off(self, name: str) -> bool:
        """Return whether a member is `false`: what it would set is left out."""
        return self._values.get(name) is False

    def is_unset(self, name: str) -> bool:
        """Return whether a member is missing or `true`: it is as it is by default."""
        return self._values.get(name, True) is True

    def flag(self, name: str, default: bool) -> bool:
        """Return true or false."""
        value = self._values.get(name, default)
        if not isinstance(value, bool):
            raise self.wrong(name, "true or false")
        return value

    def text(self, name: str, expected: str, *, secret: bool = False) -> str:
        """Return a text that is there and not empty."""
        value = self._values.get(name)
        if not isinstance(value, str) or not value.strip():
            raise self.wrong(name, expected, secret=secret)
        return value

    def texts(self, name: str, expected: str) -> tuple[str, ...] | None:
        """Return the texts of a list, None when it is missing."""
        value = self._values.get(name)
        if value is None:
            return None
        if not isinstance(value, list | tuple) or not all(isinstance(item, str) and item.strip() for item in value):
            raise self.wrong(name, expected)
        return tuple(value)

    def one_of(self, name: str, choices: Collection[_Choice], default: _Choice) -> _Choice:
        """Return one of some texts."""
        value = self._values.get(name, default)
        for choice in choices:
            if value == choice:
                return choice
        raise self.wrong(name, "one of " + ", ".join(choices))

    def whole(self, name: str, default: int, *, least: int = 0, most: int) -> int:
        """Return a whole number."""
        value = self._values.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise self.wrong(name, f"a whole number from {least} to {most}")
        return value

    def wholes(self, name: str, *, least: int, most: int) -> tuple[int, ...]:
        """Return the whole numbers of a list, none when it is missing."""
        value = self._values.get(name, [])
        if not isinstance(value, list | tuple):
            raise self.wrong(name, "a list of whole numbers")
        items = Table({str(number): item for number, item in enumerate(value)}, self.path(name))
        return tuple(items.whole(item, least, least=least, most=most) for item in items)

    def number(self, name: str, default: Decimal | None = None, *, least: str = "0", most: str) -> Decimal:
        """Return an exact number, written as a number or as text; without a default it must be there."""
        expected = f"a number from {least} to {most}"
        value = self._values.get(name, default)
        if isinstance(value, float):
            raise self.wrong(name, expected, hint="A float is not exact: write it as text, or read it as a Decimal")
        if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
            raise self.wrong(name, expected)
        try:
            number = decimal_from_text(str(value).strip())
        except DecodeError:
            raise self.wrong(name, expected) from None
        if not Decimal(least) <= number <= Decimal(most):
            raise self.wrong(name, expected)
        return number

    def percent(self, name: str) -> Decimal:
        """Return a fee as the ledger can take it."""
        value = self.number(name, most="99.9999")
        if value * 10_000 % 1:
            raise self.wrong(name, "a percentage with at most four decimals")
        return value

    def rows(self, name: str, members: tuple[str, ...]) -> list[Table]:
        """Return the rows of a list of lists, each as a table; none when it is missing."""
        value = self._values.get(name, [])
        expected = f"a list of [{', '.join(members)}]"
        if not isinstance(value, list | tuple):
            raise self.wrong(name, expected)
        for row in value:
            if not isinstance(row, list | tuple) or len(row) != len(members):
                raise self.wrong(name, expected)
        return [
            Table(dict(zip(members, row, strict=True)), f"{self.path(name)}[{number}]")
            for number, row in enumerate(value)
        ]


def shown(value: object) -> str:
    """Say what was found, in the words of a document."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, Mapping):
        return "a table"
    return "a list" if isinstance(value, list | tuple) else str(value)
