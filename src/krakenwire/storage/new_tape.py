"""A tape that is made of something else: written under another name, and put in its place when it is whole.

Whatever ends the making before leaves nothing where the tape was to be. A tape
that is being recorded is no such one: see `tape_writer`.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from krakenwire.errors import TapeError
from krakenwire.limits import TAPE_SEGMENT_S
from krakenwire.storage.tape_segment import sync_folder, unreadable
from krakenwire.storage.tape_writer import TapeWriter

__all__ = ["NewTape"]


class NewTape:
    """Where a tape is to be.

    Args:
        out: a folder that is not there yet, or is empty.

    Raises:
        TapeError: something else is there.
    """

    def __init__(self, out: str | os.PathLike[str]) -> None:
        self.out = Path(out)
        try:
            taken = self.out.exists() and (not self.out.is_dir() or any(self.out.iterdir()))
        except OSError as error:
            raise unreadable(self.out, error) from error
        if taken:
            reason = "the folder is not empty" if self.out.is_dir() else "there is a file in its place"
            raise TapeError(str(self.out), reason, hint="Name one that is not there yet")

    @contextmanager
    def written(self, about: Mapping[str, object], *, segment_s: int = TAPE_SEGMENT_S) -> Iterator[TapeWriter]:
        """Yield what writes it, then put it in its place; after an error nothing is left.

        Args:
            about: what the tape says about itself.
            segment_s: see `TapeWriter`.

        Raises:
            TapeError: it cannot be written, or something has come into its place.
        """
        where = self.out.resolve()
        try:
            where.parent.mkdir(parents=True, exist_ok=True)
            folder = Path(tempfile.mkdtemp(prefix=f".{where.name}.", suffix=".partial", dir=where.parent))
        except OSError as error:
            raise unreadable(self.out, error) from error
        try:
            with TapeWriter(folder, about=about, segment_s=segment_s) as writer:
                yield writer
            self._put_in_place(folder, where)
        except TapeError as error:
            if error.path.startswith(str(folder)):
                raise TapeError(str(self.out), error.reason, hint="Nothing was written") from error
            raise
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _put_in_place(self, folder: Path, where: Path) -> None:
        try:
            if where.exists():
                where.rmdir()
            folder.rename(where)
        except OSError as error:
            raise unreadable(self.out, error) from error
        sync_folder(where.parent)
