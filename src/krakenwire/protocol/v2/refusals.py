"""How the venue's side of v2 says no while it reads a request, and the checks that all methods share.

A check raises `Declined` with the venue's text; `venue.parse_request` turns it
into a `Refusal`. The texts are those of the gateway, in plain English.
Source: v2 reference, section 12.1.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

import msgspec

from krakenwire.errors import DecodeError
from krakenwire.model.numbers import decimal_from_text

__all__ = [
    "FLAG",
    "INTEGER",
    "INTEGERS",
    "NUMBER",
    "OBJECT",
    "OBJECTS",
    "TEXT",
    "TEXTS",
    "Declined",
    "MemberKind",
    "Refusal",
    "Unreadable",
    "checked",
    "exact_number",
    "only",
    "require",
]


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """What a request is refused with.

    Args:
        error: the venue's text.
        method: as the reply names it; ``error`` when none could be read.
        symbols: one reply is due for each, or a single one without symbol if empty.
        req_id: to be repeated, None when there was none.
        channel: what the request asked for, as far as it could be read; not part of the reply.
    """

    error: str
    method: str = "error"
    symbols: tuple[str, ...] = ()
    req_id: int | None = None
    channel: str | None = None


class Declined(Exception):
    """Carries a refusal's text out of a check; never leaves `parse_request`."""


class Unreadable:
    """Stands where a number was that is longer or larger than any bound allows."""


_UNREADABLE: Final = Unreadable()


def exact_number(text: str | int) -> Decimal | Unreadable:
    """Return the exact value of a JSON number."""
    try:
        return decimal_from_text(text)
    except DecodeError:
        return _UNREADABLE


# -- members -------------------------------------------------------------------


class MemberKind(msgspec.Struct, frozen=True):
    """What a member of a request must be.

    Args:
        of: the type of the decoded value, exactly.
        words: how the refusal calls it.
        item: type of each item of an array.
        items: how the refusal calls such an array.
    """

    of: type
    words: str
    item: type | None = None
    items: str = ""


NUMBER: Final = MemberKind(Decimal, "a number_float")
"""Integers are taken too."""

TEXT: Final = MemberKind(str, "a string")
FLAG: Final = MemberKind(bool, "a boolean")
INTEGER: Final = MemberKind(int, "an integer")
OBJECT: Final = MemberKind(dict, "an object")
OBJECTS: Final = MemberKind(list, "an array", dict, "an array of objects")
TEXTS: Final = MemberKind(list, "an array", str, "an array of strings")
INTEGERS: Final = MemberKind(list, "an array", int, "an array of integers")


def only(members: Iterable[str], known: Container[str], method: str) -> None:
    """Decline a member that the method does not have."""
    for name in members:
        if name not in known:
            raise Declined(f"Unsupported field: '{name}' for the given msg type: {method}")


def checked(members: Mapping[str, Any], kinds: Mapping[str, MemberKind], method: str) -> dict[str, Any]:
    """Return the members when all are known and of their kind, numbers as `Decimal`.

    Args:
        members: as decoded, with `exact_number` for what has a point or an exponent.
        kinds: by name.
        method: for the refusal.
    """
    values: dict[str, Any] = {}
    for name, value in members.items():
        kind = kinds.get(name)
        if kind is None:
            raise Declined(f"Unsupported field: '{name}' for the given msg type: {method}")
        found: Any = exact_number(value) if kind is NUMBER and type(value) is int else value
        if type(found) is not kind.of:
            raise Declined(f"{name.capitalize()} field must be {kind.words}")
        if kind.item is not None and not all(type(item) is kind.item for item in value):
            raise Declined(f"{name.capitalize()} field must be {kind.items}")
        values[name] = found
    return values


def require(members: Mapping[str, Any], *names: str) -> None:
    """Decline a request that lacks a member, or has it empty."""
    for name in names:
        value = members.get(name)
        if value is None or (not value and isinstance(value, str | list)):
            raise Declined(f"{name.capitalize()}(s) not found")
