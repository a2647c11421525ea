"""A secret that cannot be printed by accident: tokens and keys travel inside it.

Nothing here reads a file or an environment variable; who does, wraps what was
read at once. Only the place that writes the wire calls `reveal`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

__all__ = ["Secret"]


class Secret:
    """A text shown as ``***`` by repr, str and format, and refused by pickle.

    Args:
        source: the text, or a callable that fetches it each time it is needed.
    """

    __slots__ = ("_source",)

    def __init__(self, source: str | Callable[[], str]) -> None:
        self._source = source

    def reveal(self) -> str:
        """Return the text itself: only for the frame or header that carries it."""
        return self._source if isinstance(self._source, str) else self._source()

    def __repr__(self) -> str:
        return "***"

    def __format__(self, spec: str) -> str:
        return format("***", spec)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is never pickled or copied")
