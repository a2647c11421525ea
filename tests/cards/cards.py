"""Every order card, in the order of their numbers."""

from __future__ import annotations

from typing import Final

from tests.cards import cards_changes, cards_rules, cards_terms, cards_types
from tests.cards.card import Card

__all__ = ["CARDS"]

CARDS: Final[tuple[Card, ...]] = (*cards_types.CARDS, *cards_terms.CARDS, *cards_changes.CARDS, *cards_rules.CARDS)
