"""Every order card with every client style on both versions, against a local Kraken on loopback.

In a plain run each card is played once per version, the styles taking turns;
the long run plays all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pytest
from tests.cards.card import Card
from tests.cards.cards import CARDS
from tests.cards.play import STYLES, VERSIONS, play
from tests.cards.render import PAGE, page
from tests.cards.stage import Loop

_STYLES: Final = tuple(STYLES)


@pytest.fixture(scope="module")
def loop() -> Iterator[Loop]:
    running = Loop()
    yield running
    running.close()


def performances() -> Iterator[Any]:
    for card in CARDS:
        for version in VERSIONS:
            for turn, style in enumerate(_STYLES):
                in_turn = turn == (card.number + version) % len(_STYLES)
                marks = () if in_turn else (pytest.mark.nightly,)
                yield pytest.param(card, style, version, id=f"{card.number:03}-{style}-v{version}", marks=marks)


@pytest.mark.parametrize(("card", "style", "version"), list(performances()))
def test_a_card_comes_out_as_it_says(loop: Loop, card: Card, style: str, version: int) -> None:
    play(loop, card, style, version)


def test_the_cards_are_numbered_without_a_gap() -> None:
    assert [card.number for card in CARDS] == list(range(1, len(CARDS) + 1))
    assert len({card.title for card in CARDS}) == len(CARDS)


def test_the_page_is_in_step_with_the_cards() -> None:
    assert PAGE.read_text() == page(), "python -m tests.cards.render writes it"
