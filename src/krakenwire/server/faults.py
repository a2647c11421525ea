"""Faults a local venue commits on demand, so that clients can be tested against them.

Works on the text of published frames only; the market itself stays right.
"""

from __future__ import annotations

import re

__all__ = ["Faults"]

_CHECKSUM = re.compile(r'("checksum":|"c":")(\d+)')
_UPDATE = re.compile(r'"type":"update"|,"book-\d+",')


class Faults:
    """Counts of frames still to be spoiled; all zero means a faithful venue.

    Attributes:
        drop_updates: book updates that will be swallowed.
        corrupt_checksums: checksums that will be wrong by one.
    """

    def __init__(self) -> None:
        self.drop_updates = 0
        self.corrupt_checksums = 0

    @property
    def idle(self) -> bool:
        """Whether frames pass untouched."""
        return not (self.drop_updates or self.corrupt_checksums)

    def apply(self, frame: str) -> str | None:
        """Return the frame to send instead, or None to swallow it."""
        found = _CHECKSUM.search(frame)
        if found is None or _UPDATE.search(frame) is None:
            return frame
        if self.drop_updates:
            self.drop_updates -= 1
            return None
        if not self.corrupt_checksums:
            return frame
        self.corrupt_checksums -= 1
        return f"{frame[: found.start()]}{found[1]}{(int(found[2]) + 1) % (1 << 32)}{frame[found.end() :]}"
