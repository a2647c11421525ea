"""Records as columns: a block of a closed segment, and what every fast reader of a tape works on.

A block is readable on its own. Times and sequences are stored as steps, which
compress to almost nothing. NumPy and zstandard come with the extra ``tape``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from krakenwire.errors import MissingExtraError
from krakenwire.limits import TAPE_PAYLOAD_BYTES_MAX
from krakenwire.tape.record import Kind, TapeRecord

try:
    import numpy as np
    import zstandard
except ImportError:
    raise MissingExtraError("a tape", "tape") from None

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Block", "compressed", "unpacked"]

_LEVEL: Final = 3
"""Of zstd: 6 is a tenth smaller and takes three times as long."""

_ROW_BYTES: Final = 8 + 8 + 4 + 4 + 1
_KIND_OF: Final = {int(kind): kind for kind in Kind}


@dataclass(frozen=True, slots=True)
class Block:
    """Records, one row each in columns of the same length, in the order of the tape.

    Args:
        data: bytes that the payloads lie in.
        time_ns: int64.
        sequence: int64.
        connection: uint32.
        kind: uint8, see `Kind`.
        offset: int64, where the payload begins in `data`.
        length: int64, its bytes.
    """

    data: bytes
    time_ns: NDArray[np.int64]
    sequence: NDArray[np.int64]
    connection: NDArray[np.uint32]
    kind: NDArray[np.uint8]
    offset: NDArray[np.int64]
    length: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.time_ns)

    def __iter__(self) -> Iterator[TapeRecord]:
        data, kind_of = self.data, _KIND_OF
        columns = (self.time_ns, self.sequence, self.connection, self.kind, self.offset, self.length)
        rows = zip(*(column.tolist() for column in columns), strict=True)
        for time_ns, sequence, connection, kind, offset, length in rows:
            yield TapeRecord(time_ns, sequence, connection, kind_of[kind], data[offset : offset + length])

    def chosen(
        self,
        start_ns: int | None = None,
        end_ns: int | None = None,
        kinds: Collection[int] | None = None,
        connections: Collection[int] | None = None,
    ) -> Block:
        """Return the rows from `start_ns` on, before `end_ns`, of these kinds and connections; itself for all."""
        keep = np.ones(len(self), dtype=bool)
        if start_ns is not None:
            keep &= self.time_ns >= start_ns
        if end_ns is not None:
            keep &= self.time_ns < end_ns
        if kinds is not None:
            keep &= np.isin(self.kind, [int(kind) for kind in kinds])
        if connections is not None:
            keep &= np.isin(self.connection, list(connections))
        return self if keep.all() else self._taken(keep)

    def _taken(self, keep: NDArray[np.bool_]) -> Block:
        return Block(
            self.data,
            self.time_ns[keep],
            self.sequence[keep],
            self.connection[keep],
            self.kind[keep],
            self.offset[keep],
            self.length[keep],
        )

    def part(self, start: int, stop: int) -> Block:
        """Return some rows, sharing everything."""
        rows = slice(start, stop)
        return Block(
            self.data,
            self.time_ns[rows],
            self.sequence[rows],
            self.connection[rows],
            self.kind[rows],
            self.offset[rows],
            self.length[rows],
        )

    @classmethod
    def of(cls, data: bytes, rows: list[tuple[int, int, int, int, int, int]]) -> Block:
        """Return the block of rows as `Scan` yields them."""
        columns = list(zip(*rows, strict=True)) or [()] * 6
        return cls(
            data,
            np.array(columns[0], dtype=np.int64),
            np.array(columns[1], dtype=np.int64),
            np.array(columns[2], dtype=np.uint32),
            np.array(columns[3], dtype=np.uint8),
            np.array(columns[4], dtype=np.int64),
            np.array(columns[5], dtype=np.int64),
        )


def compressed(block: Block) -> bytes:
    """Return a block as it is stored."""
    data = block.data
    offsets, lengths = block.offset.tolist(), block.length.tolist()
    payloads = b"".join([data[at : at + size] for at, size in zip(offsets, lengths, strict=True)])
    columns = (
        np.diff(block.time_ns, prepend=0).tobytes(),
        np.diff(block.sequence, prepend=0).tobytes(),
        block.connection.astype("<u4").tobytes(),
        block.length.astype("<u4").tobytes(),
        block.kind.tobytes(),
    )
    return zstandard.ZstdCompressor(level=_LEVEL).compress(b"".join((*columns, payloads)))


def unpacked(stored: bytes, count: int, raw_bytes: int) -> Block:
    """Return the block of stored bytes.

    Args:
        stored: as `compressed` made them.
        count: its records.
        raw_bytes: of its payloads together.

    Raises:
        ValueError: they are not a block of that size.
    """
    size = count * _ROW_BYTES + raw_bytes
    if size > TAPE_PAYLOAD_BYTES_MAX * 4:
        raise ValueError("the block is too large")
    try:
        data = zstandard.ZstdDecompressor().decompress(stored, max_output_size=size)
    except zstandard.ZstdError as error:
        raise ValueError(str(error)) from error
    if len(data) != size:
        raise ValueError("the block has another size")
    time_ns = np.cumsum(np.frombuffer(data, "<i8", count, 0))
    sequence = np.cumsum(np.frombuffer(data, "<i8", count, 8 * count))
    connection = np.frombuffer(data, "<u4", count, 16 * count)
    length = np.frombuffer(data, "<u4", count, 20 * count).astype(np.int64)
    kind = np.frombuffer(data, "u1", count, 24 * count)
    if int(length.sum()) != raw_bytes or not np.isin(kind, list(_KIND_OF)).all():
        raise ValueError("its columns contradict each other")
    offset = np.cumsum(length) - length + count * _ROW_BYTES
    return Block(data, time_ns, sequence, connection, kind, offset, length)
