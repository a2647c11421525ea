"""Parameters of a strategy: what is read, and what is refused with the nearest that there is."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from krakenwire.bot import Strategy, parameter
from krakenwire.errors import ConfigError


class Many(Strategy):
    fast: int = parameter(10, low=1, high=500, help="candles")
    size: Decimal = parameter(Decimal("0.5"), low=Decimal(0))
    threshold: float = parameter(0.25, high=1.0)
    loud: bool = parameter(False)
    side: str = parameter("both", choices=("both", "buy"))


def test_a_parameter_is_a_plain_value_of_its_own_type() -> None:
    assert Many.fast == 10
    made = Many(fast="25", size="0.1", threshold="1e-1", loud="true", side="buy")
    assert (made.fast, made.size, made.threshold, made.loud, made.side) == (25, Decimal("0.1"), 0.1, True, "buy")
    assert Many().parameters == {"fast": 10, "size": Decimal("0.5"), "threshold": 0.25, "loud": False, "side": "both"}
    assert Many(size=1).size == 1


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("fast", 0, "a whole number at least 1 and at most 500"),
        ("fast", 501, "at most 500"),
        ("fast", "ten", "a whole number"),
        ("fast", 2.0, "a whole number"),
        ("fast", True, "a whole number"),
        ("size", "-1", "an exact number at least 0"),
        ("size", 0.1, "an exact number"),
        ("size", "nan", "an exact number"),
        ("threshold", float("inf"), "a number at most 1.0"),
        ("loud", "yes", "true or false"),
        ("side", "sell", "one of both, buy"),
    ],
)
def test_a_value_that_cannot_be_is_refused_with_what_can(name: str, value: Any, expected: str) -> None:
    with pytest.raises(ConfigError, match=f"{name}: expected .*{expected}"):
        Many(**{name: value})


def test_an_unknown_parameter_is_refused_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match='Did you mean "fast"'):
        Many(fsat=1)


def test_a_strategy_without_parameters_says_so() -> None:
    class Plain(Strategy):
        pass

    with pytest.raises(ConfigError, match="has no parameters"):
        Plain(fast=1)


def test_parameters_are_inherited_and_may_be_declared_anew() -> None:
    class Child(Many):
        fast: int = parameter(3)
        slow: int = parameter(30)

    assert (Child().fast, Child().slow, Child().side) == (3, 30, "both")
    assert list(Child().parameters) == ["fast", "size", "threshold", "loud", "side", "slow"]


def test_a_default_outside_its_bounds_and_a_name_that_is_taken_are_refused_with_the_class() -> None:
    with pytest.raises(ConfigError, match="at least 5"):
        type("Mine", (Strategy,), {"fast": parameter(1, low=5)})
    with pytest.raises(ConfigError, match="parameter clock of Mine"):
        type("Mine", (Strategy,), {"clock": parameter(1)})
