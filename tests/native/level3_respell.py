"""The same level3 frame in another spelling, and frames with something wrong in them.

A respelled frame means what it meant, to the last digit; a broken one may mean anything or nothing. Numbers
stay text all the way. Next: `test_level3_twin`, which asks both twins what they make of them.
"""

from __future__ import annotations

import json
import random
from typing import Any

__all__ = ["broken", "odd", "respelled"]


class _Number(str):
    __slots__ = ()


def _decode(frame: bytes) -> Any:
    return json.loads(frame, parse_float=_Number, parse_int=_Number)


def _encode(value: Any, chance: random.Random, *, spaces: bool) -> str:
    gap = (lambda: chance.choice(("", "", " ", "\n\t"))) if spaces else lambda: ""
    if isinstance(value, dict):
        members = (
            f"{gap()}{json.dumps(name)}{gap()}:{gap()}{_encode(member, chance, spaces=spaces)}"
            for name, member in value.items()
        )
        return "{" + f"{gap()},".join(members) + gap() + "}"
    if isinstance(value, list):
        return "[" + gap() + f"{gap()},{gap()}".join(_encode(v, chance, spaces=spaces) for v in value) + gap() + "]"
    return str(value) if isinstance(value, _Number) else json.dumps(value)


def _shuffled(value: Any, chance: random.Random) -> Any:
    if isinstance(value, dict):
        members = [(name, _shuffled(member, chance)) for name, member in value.items()]
        chance.shuffle(members)
        return dict(members)
    return [_shuffled(one, chance) for one in value] if isinstance(value, list) else value


def respelled(frame: bytes, chance: random.Random) -> bytes:
    """Return a frame with its members in another order, and white space between its tokens."""
    return _encode(_shuffled(_decode(frame), chance), chance, spaces=chance.random() < 0.5).encode()


def broken(frame: bytes, chance: random.Random) -> bytes:
    """Return a frame with bytes changed, taken out, doubled or cut off."""
    data = bytearray(frame)
    for _ in range(chance.choice((1, 1, 1, 2, 5))):
        at = chance.randrange(len(data) or 1)
        what = chance.randrange(5)
        if what == 0 and data:
            data[at] = chance.choice(b'0123456789.,:"{}[]eE-+ \\aZT\x00\x80\xff')
        elif what == 1:
            del data[at : at + chance.randrange(1, 30)]
        elif what == 2:
            data[at:at] = data[at : at + chance.randrange(1, 60)]
        elif what == 3:
            del data[at:]
        else:
            data[at:at] = bytes([chance.choice(b'0123456789.,:"{}[]eE-+ \\')])
    return bytes(data)


def odd(frame: bytes, chance: random.Random) -> bytes:
    """Return a valid frame with a number, a text or a member that is seldom seen."""
    message = _decode(frame)
    rows = message["data"]
    orders = rows[0]["bids"] + rows[0]["asks"]
    order = chance.choice(orders) if orders else rows[0]
    price, qty = order.get("limit_price", _Number("1.5")), order.get("order_qty", _Number("2"))
    name, value = chance.choice(
        [
            ("limit_price", _Number(price + "0")),
            ("limit_price", _Number(price.split(".")[0])),
            ("limit_price", _Number(price + "e0")),
            ("limit_price", _Number("0.0")),
            ("limit_price", _Number("-" + price)),
            ("limit_price", _Number("123456789012345678")),
            ("limit_price", _Number("12345678901234567890.5")),
            ("limit_price", price),
            ("order_qty", _Number(qty + "000")),
            ("order_qty", _Number("1e-05")),
            ("order_qty", _Number("0")),
            ("order_qty", _Number("0.000000000000000001")),
            ("order_qty", None),
            ("order_id", "O" * chance.choice((1, 8, 63, 64, 65, 300))),
            ("order_id", chance.choice(("", 'quote"', "back\\slash", "é", "tab\t", "\x7f"))),
            ("timestamp", chance.choice(("2031-02-03T04:05:06Z", "2031-02-03T04:05:06.7Z", "2031-02-30T04:05:06.7Z"))),
            ("timestamp", "2031-02-03T04:05:60.123456789Z"),
            ("event", chance.choice(("add", "modify", "delete", "fill", None))),
            ("new", chance.choice((1, "x", [1, {"a": None}]))),
        ]
    )
    order[name] = value
    if chance.random() < 0.2:
        rows.append(rows[0])
    if chance.random() < 0.2:
        message.update(chance.choice(({"method": "subscribe"}, {"new": 1}, {"channel": "book"}, {"type": "change"})))
    return _encode(message, chance, spaces=False).encode()
