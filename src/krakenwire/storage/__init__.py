"""Files on a disk: frames read as a stream, journals that survive a crash at any byte, tapes.

Start reading at `frames`, `journal`, and for tapes at `tape_writer` and
`tape_reader`, which are imported from there: they need the extra ``tape``.
"""

from krakenwire.storage.frames import FrameFile, FrameLine
from krakenwire.storage.journal import Journal

__all__ = ["FrameFile", "FrameLine", "Journal"]
