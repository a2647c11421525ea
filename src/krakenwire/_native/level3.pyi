from collections.abc import Callable

from krakenwire.book.frozen import FrozenL3Book as _FrozenL3Book
from krakenwire.book.l3 import L3Book as _L3Book
from krakenwire.model.market import Kind
from krakenwire.model.market import Level3Update as Level3Update

class FrozenL3Book(_FrozenL3Book): ...

class L3Book(_L3Book):
    @property
    def found(self) -> int: ...

class Level3Reader:
    unusual: int
    def __init__(self, book_for: Callable[[str, Kind, int], L3Book | None]) -> None: ...
    def read(self, frame: bytes) -> tuple[int, Level3Update | None] | None: ...
    def forget(self, symbol: str) -> None: ...
