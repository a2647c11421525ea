"""One side of an L2 book: prices as integers, best first, each with its checksum digits.

The fast path reads padded fixed-point text without making a number of the
quantity; every other spelling leaves it for `digits`. Never rounds, never
holds a level of quantity zero. Next: `l2`, which owns two of these.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from krakenwire.book.digits import most_decimals, price_and_qty, scaled, shown_decimals
from krakenwire.limits import CHECKSUM_LEVELS, NUMBER_CHARS_MAX
from krakenwire.model.market import Level, WireLevel
from krakenwire.model.numbers import scaled_to_decimal

__all__ = ["Scale", "Side"]

_MANY = 4_096
"""Levels of one message above which they are sorted at once; the deepest snapshot has 1,000."""


class Scale:
    """How many decimals the integers of one book stand for.

    Attributes:
        grew: whether it grew since the checksum digits were last read.
    """

    __slots__ = ("grew", "price", "qty")

    def __init__(self, price: int, qty: int) -> None:
        self.price, self.qty, self.grew = price, qty, False

    def copy(self) -> Scale:
        """Return an independent copy."""
        return Scale(self.price, self.qty)


class Side:
    """Levels of one side.

    Attributes:
        keys: scaled prices, ascending; negated for bids, so the best is first.
        texts: the checksum digits of each level: those of the price, then of the quantity.
    """

    __slots__ = ("keys", "sign", "texts")

    def __init__(self, sign: int) -> None:
        self.sign = sign
        self.keys: list[int] = []
        self.texts: list[str] = []

    def merge(self, levels: Sequence[WireLevel], scale: Scale, other: Side, depth: int) -> bool:
        """Apply changes in order, then forget what lies beyond `depth`.

        A quantity of zero removes. The venue sends no removal for a level that
        a better one pushes out of the subscribed depth.

        Args:
            levels: price text, quantity text, and whatever else the version adds.
            scale: grown, with both sides, where a number shows more decimals.
            other: the side that shares the scale.
            depth: levels to keep.

        Returns:
            Whether one of the levels that the checksum covers was touched.

        Raises:
            DecodeError: a number that is none, or negative; the side is then half-changed.

        Cost: a binary search a level, and the move of the levels behind an insertion;
            for very many levels, one sort.
        """
        if len(levels) > _MANY:
            return self._merge_many(levels, scale, other, depth)
        keys, texts, sign = self.keys, self.texts, self.sign
        price_point, qty_point = -1 - scale.price, -1 - scale.qty
        touched = False
        for level in levels:
            try:
                price, qty = level[0], level[1]
                digits = price.replace(".", "", 1)
                key = int(digits) * sign
                amount = qty.replace(".", "", 1).lstrip("0")
                text = digits.lstrip("0") + amount
                plain = price[price_point] == "." == qty[qty_point] and text.isdigit() and text.isascii()
            except (AttributeError, IndexError, TypeError, ValueError):
                plain = False
            if not plain or len(text) > NUMBER_CHARS_MAX:
                key, amount, text = self._exact(level, scale, other)
                keys, texts = self.keys, self.texts
                price_point, qty_point = -1 - scale.price, -1 - scale.qty
            i = bisect_left(keys, key)
            found = i < len(keys) and keys[i] == key
            if not amount:
                if not found:
                    continue
                del keys[i], texts[i]
            elif found:
                texts[i] = text
            else:
                keys.insert(i, key)
                texts.insert(i, text)
            if i < CHECKSUM_LEVELS:
                touched = True
        if len(keys) > depth:
            del keys[depth:], texts[depth:]
        return touched

    def _merge_many(self, levels: Sequence[WireLevel], scale: Scale, other: Side, depth: int) -> bool:
        """As `merge`, where moving what lies behind every insertion would take minutes."""
        self._grow(scale, other, *most_decimals(levels, scale.price, scale.qty))
        texts = dict(zip(self.keys, self.texts, strict=True))
        for level in levels:
            key, amount, text = self._exact(level, scale, other)
            if amount:
                texts[key] = text
            else:
                texts.pop(key, None)
        self.keys = sorted(texts)[:depth]
        self.texts = [texts[key] for key in self.keys]
        return True

    def _exact(self, level: WireLevel, scale: Scale, other: Side) -> tuple[int, str, str]:
        """Return key, quantity digits and checksum digits of a level spelled in any way."""
        price_text, qty_text = price_and_qty(level)
        price_decimals, qty_decimals = shown_decimals(price_text), shown_decimals(qty_text)
        self._grow(scale, other, max(scale.price, price_decimals), max(scale.qty, qty_decimals))
        price, qty = scaled(price_text, scale.price), scaled(qty_text, scale.qty)
        amount = str(qty) if qty else ""
        return price * self.sign, amount, (str(price) if price else "") + amount

    def _grow(self, scale: Scale, other: Side, price: int, qty: int) -> None:
        if (price, qty) == (scale.price, scale.qty):
            return
        grown = Scale(price, qty)
        self.rescale(scale, grown)
        other.rescale(scale, grown)
        scale.price, scale.qty, scale.grew = price, qty, True

    def rescale(self, old: Scale, new: Scale) -> None:
        """Multiply every price and quantity so that nothing changes but the scale."""
        factor, zeros = 10 ** (new.price - old.price), "0" * (new.qty - old.qty)
        amounts = map(self._amount, self.keys, self.texts)
        self.keys = [key * factor for key in self.keys]
        self.texts = [_price_digits(key) + amount + zeros for key, amount in zip(self.keys, amounts, strict=True)]

    def best_digits(self) -> bytes:
        """Return this side's part of the checksum's input."""
        return "".join(self.texts[:CHECKSUM_LEVELS]).encode()

    def levels(self, scale: Scale, count: int | None = None) -> tuple[Level, ...]:
        """Return the best `count` levels, best first; all when None."""
        return tuple(self.level(i, scale) for i in range(len(self.keys[:count])))

    def level(self, i: int, scale: Scale) -> Level:
        """Return the level at place `i`, 0 the best."""
        key = self.keys[i]
        qty = int(self._amount(key, self.texts[i]))
        return Level(scaled_to_decimal(abs(key), scale.price), scaled_to_decimal(qty, scale.qty))

    def copy(self) -> Side:
        """Return an independent copy."""
        copied = Side(self.sign)
        copied.keys, copied.texts = self.keys.copy(), self.texts.copy()
        return copied

    @staticmethod
    def _amount(key: int, text: str) -> str:
        return text[len(_price_digits(key)) :]


def _price_digits(key: int) -> str:
    return str(abs(key)) if key else ""
