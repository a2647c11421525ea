"""Files on a disk: frames read as a stream, journals that survive a crash at any byte.

Start reading at `frames` and `journal`.
"""

from krakenwire.storage.frames import FrameFile, FrameLine
from krakenwire.storage.journal import Journal

__all__ = ["FrameFile", "FrameLine", "Journal"]
