"""Files of frames on a disk, read as a stream.

Never holds more of a file than one line. Start reading at `frames`.
"""

from krakenwire.storage.frames import FrameFile, FrameLine

__all__ = ["FrameFile", "FrameLine"]
