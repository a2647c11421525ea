"""What may be wrong or merely unusual about a frame: other spellings, other values, damaged bytes.

`mutated` draws one of them; the same generator gives the same mutations.
Nothing here knows what is right. Next: `compare`, which lets both twins judge.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from copy import deepcopy
from random import Random
from typing import Any

from tests.native.frames import Number, text_of, tree_of

ODD_NUMBERS = [
    *(f"{2**63 + n}" for n in (-1, 0, 1)),
    *(f"{2**64 + n}" for n in (-1, 0)),
    *(
        "0",
        "-0",
        "-1",
        "00",
        "01",
        "+1",
        "1.",
        ".5",
        "1e5",
        "1E-8",
        "0e0",
        "1e400",
        "1e-400",
        "0.0",
        "-0.0",
        "1e",
        "1e+",
    ),
    *("4294967295", "4294967296", "999999999999999999", "1000000000000000000", "9" * 40, "0." + "0" * 30 + "1"),
    *("123456789012345678", "0.123456789012345678", "1234567890.12345678", "12345678901.12345678", "NaN", "Infinity"),
]
ODD_TEXTS = [
    *(
        "",
        " ",
        "BTC/USD",
        "XBT/USD",
        "btc/usd",
        "A/B",
        "BTCUSD",
        "B" * 32 + "/USD",
        "B" * 40,
        "\u00e9/USD",
        "\x00",
        "\n",
    ),
    *(
        "snapshot",
        "update",
        "book",
        "trade",
        "ticker",
        "level3",
        "book-10",
        "book-11",
        "book-1000",
        "book-010",
        "book-",
    ),
    *(
        "2023-02-29T00:00:00.000000Z",
        "2024-02-29T23:59:60.000000Z",
        "2024-02-29T23:59:59.999999Z",
        "2023-01-01T00:00:00Z",
    ),
    *(
        "1969-12-31T23:59:59.999999Z",
        "2200-01-01T00:00:00.000000Z",
        "2199-12-31T23:59:59.999999Z",
        "2023-13-01T00:00:00Z",
    ),
    *(
        "2023-01-01T24:00:00.000000Z",
        "2023-01-01 00:00:00.000000Z",
        "2023-01-01T00:00:00.123456789Z",
        "0000-01-01T00:00:00Z",
    ),
    *(
        "2023-01-01T00:00:00.000000+00:00",
        "2023-01-01T00:00:00.0000000Z",
        "1700000000.123456",
        "1700000000",
        "0.5",
        "-1.5",
    ),
    *(
        "99999999999.123456",
        "1700000000.1234567",
        "0000000000.000000",
        "4294967295",
        "4294967296",
        "0042",
        "buy",
        "sell",
    ),
    *("market", "limit", "b", "s", "m", "l", "r", "add", "modify", "delete", "stop-loss"),
]
ODD_VALUES: list[Any] = [None, True, False, [], {}, [[]], [{}], {"a": {"b": [1]}}]
ODD_NAMES = ["sequence", "volume_usd", "method", "type", "channel", "data", "timestamp", "checksum", "symbol", "c", ""]
ODD_BYTES = [
    b'"',
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"0",
    b"9",
    b".",
    b"-",
    b"e",
    b"E",
    b"+",
    b" ",
    b"\t",
    b"\r\n",
]
ODD_BYTES += [
    b"\x00",
    b"\x1f",
    b"\x7f",
    b"\x80",
    b"\xff",
    b"\xc3\xa9",
    b"\xed\xa0\x80",
    b"\xef\xbb\xbf",
    b"\\u0041",
    b"\\/",
]
ODD_BYTES += [b"null", b"true", b"0" * 20, b"9" * 20, b'"":', b'"data":', b'"bids":[', b"," * 3, b"[" * 30, b"[" * 2000]

SPACES = (" ", "\n", "\t", "  ", "\r\n")


def mutated(frame: bytes, others: Sequence[bytes], rng: Random) -> bytes | str:
    """Return one mutation of a frame, now and then as the text a transport may hand on instead of bytes."""
    draw = rng.random()
    if draw < 0.25:
        result = restyled(frame, rng)
    elif draw < 0.5:
        result = revalued(frame, others, rng)
    else:
        result = damaged(frame, others, rng)
        while rng.random() < 0.3:
            result = damaged(result, others, rng)
    return as_text(result, rng) if rng.random() < 0.1 else result


def as_text(frame: bytes, rng: Random) -> str:
    """Return a frame as text; what is no UTF-8 becomes lone surrogates, or is replaced."""
    return frame.decode(errors=rng.choice(("surrogateescape", "replace")))


# -- the same said otherwise -----------------------------------------------------------


def restyled(frame: bytes, rng: Random) -> bytes:
    """Return a frame that means the same, or would to a decoder that passes new members over."""
    try:
        tree = tree_of(frame)
    except (ValueError, RecursionError):
        return frame
    ways = ("order", "space", "escape", "number", "extra", "twice")
    text = _Writer(rng, set(rng.sample(ways, rng.choice((1, 1, 1, 2, 3))))).text(tree)
    return (rng.choice(("", " ", "\n")) + text + rng.choice(("", "", " ", "\n\n"))).encode()


class _Writer:
    """Writes a structure with some of the freedoms JSON gives."""

    def __init__(self, rng: Random, ways: set[str]) -> None:
        self.rng, self.ways = rng, ways
        self.often = rng.choice((0.1, 0.5, 1.0))

    def text(self, value: Any) -> str:
        if isinstance(value, dict):
            return self._list(
                "{",
                [f"{self._string(name)}{self._space()}:{self.text(item)}" for name, item in self._members(value)],
                "}",
            )
        if isinstance(value, list):
            return self._list("[", [self.text(item) for item in value], "]")
        if isinstance(value, Number):
            return self._number(value) if self._do("number") else value
        return self._space() + (self._string(value) if isinstance(value, str) else json.dumps(value))

    def _do(self, way: str) -> bool:
        return way in self.ways and self.rng.random() < self.often

    def _space(self) -> str:
        return self.rng.choice(SPACES) if self._do("space") else ""

    def _list(self, opening: str, items: list[str], closing: str) -> str:
        return opening + self._space() + f"{self._space()},{self._space()}".join(items) + self._space() + closing

    def _members(self, value: dict[str, Any]) -> list[tuple[str, Any]]:
        members = list(value.items())
        if self._do("order"):
            self.rng.shuffle(members)
        if self._do("extra"):
            extra = self.rng.choice([Number("7"), Number("-1.5e3"), "text", None, True, [Number("1")], {"a": None}])
            members.insert(self.rng.randint(0, len(members)), (self.rng.choice(ODD_NAMES[:2]), extra))
        if members and self.rng.random() < 0.3 and self._do("twice"):
            name, _ = self.rng.choice(members)
            other = self.rng.choice([value.get(name), self.rng.choice(list(value.values()) or [None]), None])
            members.insert(self.rng.randint(0, len(members)), (name, other))
        return members

    def _string(self, text: str) -> str:
        if not self._do("escape"):
            return json.dumps(text)
        chars = [self._escaped(char) if self.rng.random() < 0.2 else json.dumps(char)[1:-1] for char in text]
        return f'"{"".join(chars)}"'

    def _escaped(self, char: str) -> str:
        if char == "/" and self.rng.random() < 0.5:
            return "\\/"
        return "".join(f"\\u{unit:04x}" for unit in [ord(char)]) if ord(char) < 0x10000 else char

    def _number(self, text: str) -> str:
        whole, _, fraction = text.partition(".")
        return self.rng.choice(
            [
                f"{text}{self.rng.choice('eE')}{self.rng.choice(('0', '+0', '-0', '00'))}",
                f"{(whole + fraction).lstrip('0') or '0'}e-{len(fraction)}" if text[0] != "-" else text,
                text.rstrip("0").rstrip(".") if fraction else text,
                text + "0" * self.rng.randint(1, 4) if fraction else f"{text}.0",
                f'"{text}"',
            ]
        )


# -- something else said ---------------------------------------------------------------


def revalued(frame: bytes, others: Sequence[bytes], rng: Random) -> bytes:
    """Return a frame in which one or a few values, members or rows are others."""
    try:
        tree, other = tree_of(frame), tree_of(rng.choice(others))
    except (ValueError, RecursionError):
        return frame
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        _revalue(tree, other, rng)
    try:
        return text_of(tree).encode()
    except UnicodeEncodeError:
        return frame


def _revalue(tree: Any, other: Any, rng: Random) -> None:
    places = list(_places(tree))
    if not places:
        return
    holder, key = rng.choice(places)
    draw = rng.random()
    if draw < 0.5:
        holder[key] = _odd_value(holder[key], rng)
    elif draw < 0.62:
        del holder[key]
    elif draw < 0.74:
        (one, a), (two, b) = rng.choice(places), rng.choice(places)
        if not isinstance(one[a], dict | list) and not isinstance(two[b], dict | list):
            one[a], two[b] = two[b], one[a]
    elif draw < 0.84 and isinstance(holder, list):
        holder.insert(rng.randint(0, len(holder)), deepcopy(holder[key]))
    elif draw < 0.92 and isinstance(holder, dict):
        holder[rng.choice(ODD_NAMES)] = deepcopy(holder[key]) if rng.random() < 0.5 else _odd_value(holder[key], rng)
    elif isinstance(tree, dict) and isinstance(other, dict):
        _add_rows(tree, other, rng)


def _add_rows(tree: dict[str, Any], other: dict[str, Any], rng: Random) -> None:
    rows, more = tree.get("data"), other.get("data")
    if isinstance(rows, list) and isinstance(more, list):
        rows += deepcopy(more if other.get("channel") == tree.get("channel") else rows[:1])
        rng.shuffle(rows)


def _places(value: Any) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    todo = [value]
    while todo:
        holder = todo.pop()
        keys = list(holder) if isinstance(holder, dict) else range(len(holder))
        for key in keys:
            found.append((holder, key))
            if isinstance(holder[key], dict | list):
                todo.append(holder[key])
    return found


def _odd_value(value: Any, rng: Random) -> Any:
    draw = rng.random()
    if draw < 0.2:
        return deepcopy(rng.choice(ODD_VALUES))
    if isinstance(value, Number) == (draw < 0.9):
        odd = rng.choice(ODD_NUMBERS)
        return Number(odd) if rng.random() < 0.9 else odd
    if isinstance(value, str) and not isinstance(value, Number) and draw < 0.5:
        return rng.choice(ODD_NUMBERS)
    return rng.choice(ODD_TEXTS)


# -- bytes ---------------------------------------------------------------------------------


def damaged(frame: bytes, others: Sequence[bytes], rng: Random) -> bytes:
    """Return a frame with bytes flipped, inserted, removed, repeated, cut off or taken from another."""
    size = len(frame)
    at = rng.randint(0, size)
    to = min(size, at + rng.choice((1, 1, 2, 3, 8, 40)))
    way = rng.randrange(9)
    if way == 0 and at < size:
        return frame[:at] + bytes([frame[at] ^ (1 << rng.randrange(8))]) + frame[at + 1 :]
    if way == 1:
        return frame[:at] + rng.choice(ODD_BYTES) + frame[at:]
    if way == 2:
        return frame[:at] + frame[to:]
    if way == 3:
        return frame[:at] + frame[at:to] * rng.choice((2, 2, 3, 30)) + frame[to:]
    if way == 4:
        return frame[:at]
    if way == 5:
        other = rng.choice(others)
        return frame[:at] + other[rng.randint(0, len(other)) :]
    if way == 6 and at < size:
        return frame[:at] + bytes([rng.randrange(256)]) + frame[at + 1 :]
    return _other_digit(frame, rng)


def _other_digit(frame: bytes, rng: Random) -> bytes:
    digits = [place for place, byte in enumerate(frame) if 0x30 <= byte <= 0x39]
    if not digits:
        return frame
    at = rng.choice(digits)
    return frame[:at] + bytes([rng.randrange(0x30, 0x3A)]) + frame[at + 1 :]
