from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from krakenwire._native.feed import Pass
from krakenwire.tape.rows import RowWriter as PureRowWriter

_Int64s: TypeAlias = npt.NDArray[np.int64]

class RowWriter(PureRowWriter):
    at_fault: int
    def take_frames(
        self,
        feed_pass: Pass,
        data: bytes | memoryview | npt.NDArray[Any],
        times: _Int64s,
        offsets: _Int64s,
        lengths: _Int64s,
        plain: npt.NDArray[np.bool_],
        start: int,
        stop: int,
        connection: int,
    ) -> int: ...
