"""Parameters of a strategy: typed by their default, checked, and set from a file, a command line or a sweep.

A parameter is written once, in the class. Reading it in a callback is reading
a plain attribute. Next: `strategy`, which sets them.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Final, Generic, TypeAlias, TypeVar, cast

from krakenwire.errors import ConfigError, DecodeError
from krakenwire.model.numbers import decimal_from_text

__all__ = ["Parameter", "ParameterValue", "parameter", "parameters_of", "read_parameters"]

ParameterValue: TypeAlias = bool | int | float | Decimal | str

_Value = TypeVar("_Value", bound=ParameterValue)

_WHOLE: Final = re.compile(r"[+-]?[0-9]{1,18}")
_FLAGS: Final = {"true": True, "false": False}


def parameter(
    default: _Value,
    *,
    low: _Value | None = None,
    high: _Value | None = None,
    choices: Sequence[_Value] = (),
    help: str = "",  # noqa: A002 - the word argparse uses for the same thing
) -> _Value:
    """Declare a parameter of a strategy.

    ``fast: int = parameter(10, low=1, help="candles of the fast average")``

    Args:
        default: its value where nothing else is said; its type is the parameter's.
        low: the least value that is accepted.
        high: the greatest.
        choices: the only values that are accepted; empty for any.
        help: one line for a person.
    """
    return cast("_Value", Parameter(default, low, high, tuple(choices), help))


class Parameter(Generic[_Value]):
    """One parameter of a strategy's class. Made by `parameter`.

    Attributes:
        name: as the class calls it.
        default, low, high, choices, help: as declared.
    """

    def __init__(
        self,
        default: _Value,
        low: _Value | None,
        high: _Value | None,
        choices: tuple[_Value, ...],
        help: str,  # noqa: A002 - as in `parameter`
    ) -> None:
        self.name = ""
        self.default, self.low, self.high, self.choices, self.help = default, low, high, choices, help

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, instance: object, owner: type) -> _Value:
        """Return the default: an instance has the value itself in its place."""
        return self.default

    def read(self, value: object) -> _Value:
        """Return a value of the parameter's type out of what a file or a command line says.

        Raises:
            ConfigError: another type, or outside the bounds.
        """
        found = _READERS[type(self.default)](value)
        if found is None or not self._allows(cast("_Value", found)):
            raise ConfigError(self.name, expected=self.expected, found=value)
        return cast("_Value", found)

    @property
    def expected(self) -> str:
        """What is accepted, in words."""
        if self.choices:
            return "one of " + ", ".join(map(str, self.choices))
        kind = _NAMES[type(self.default)]
        bounds = [
            f"{word} {bound}" for word, bound in (("at least", self.low), ("at most", self.high)) if bound is not None
        ]
        return " ".join([kind, " and ".join(bounds)]).strip()

    def _allows(self, value: _Value) -> bool:
        if self.choices:
            return value in self.choices
        if isinstance(value, str):
            return True
        low, high = cast("Decimal | None", self.low), cast("Decimal | None", self.high)
        return (low is None or value >= low) and (high is None or value <= high)


def parameters_of(strategy: type) -> dict[str, Parameter[ParameterValue]]:
    """Return the parameters of a strategy's class, those of its parents first."""
    found: dict[str, Parameter[ParameterValue]] = {}
    for each in reversed(strategy.__mro__):
        found |= {name: value for name, value in vars(each).items() if isinstance(value, Parameter)}
    return found


def read_parameters(strategy: type, values: Mapping[str, object]) -> dict[str, ParameterValue]:
    """Return the value of every parameter, in the order they are declared.

    Args:
        strategy: the class.
        values: what is said of some of them: typed as in TOML, or as text.

    Raises:
        ConfigError: a name that is none, with the nearest; a value that cannot be.
    """
    known = parameters_of(strategy)
    for name in values:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1, 0.6)
            expected = "one of " + ", ".join(known) if known else "none: this strategy has no parameters"
            raise ConfigError(
                f"parameter {name} of {strategy.__name__} is not known",
                expected=expected,
                hint=f'Did you mean "{near[0]}"?' if near else "",
            )
    return {name: each.read(values[name]) if name in values else each.default for name, each in known.items()}


# -- one value --------------------------------------------------------------------


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else _FLAGS.get(value) if isinstance(value, str) else None


def _whole(value: object) -> int | None:
    if isinstance(value, str):
        return int(value) if _WHOLE.fullmatch(value) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _exact(value: object) -> Decimal | None:
    if isinstance(value, Decimal):
        return value if value.is_finite() else None
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    try:
        return decimal_from_text(value)
    except DecodeError:
        return None


def _float(value: object) -> float | None:
    exact = _exact(repr(value) if isinstance(value, float) else value)
    return None if exact is None else float(exact)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


_READERS: Final[Mapping[type, Callable[[object], ParameterValue | None]]] = {
    bool: _flag,
    int: _whole,
    float: _float,
    Decimal: _exact,
    str: _text,
}
_NAMES: Final = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    Decimal: "an exact number",
    str: "a text",
}
