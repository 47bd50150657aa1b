"""What is read of a delivery: text as UTF-8 or Parquet, in memory or in scratch.

Belongs here: where the bytes are. Does not: how they became readable (``transcode``). Ten thousand
small files are read once each and never written again; a reader that wants a file gets one.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from dagster_project.core.feeds.records import map_bytes
from dagster_project.core.home import Home

CHUNK_BYTES = 4 << 20
IN_MEMORY_BYTES = 1 << 20  # bigger ones stay on the disk; a batch's bytes are capped as a whole


class Text:
    """The readable bytes of one delivery, and on demand a file of them under a safe name."""

    def __init__(self, home: Home, name: str, content: bytes | None, source: str) -> None:
        self.content = content  # of a small text; nothing where it is in a file
        self._home = home
        self._name = name
        self._source = source  # the delivered file, which a big text is as it came
        self._path: Path | None = None

    def written(self) -> Path:
        """Where the text is to be written that is not as it was delivered."""
        self._path = self._home.scratch / self._name
        return self._path

    @property
    def path(self) -> Path:
        """A file of the text, whose name no reader takes for a pattern."""
        if self._path is None:
            target = self.written()
            if self.content is not None:
                target.write_bytes(self.content)
            else:
                link(Path(self._source), target)
        return self._path or self.written()

    def array(self) -> np.ndarray:
        """All bytes, read-only."""
        if self.content is not None:
            return np.frombuffer(self.content, np.uint8)
        return map_bytes(self.path)

    def part(self, start: int, end: int) -> bytes:
        """The bytes from one place to another."""
        if self.content is not None:
            return self.content[start:end]
        with self.path.open("rb") as handle:
            handle.seek(start)
            return handle.read(end - start)

    def pieces(self) -> Iterator[bytes]:
        """All bytes, some at a time."""
        if self.content is not None:
            yield self.content
            return
        # What is as it was delivered needs no second name to be read once.
        with open(self._path or self._source, "rb", buffering=0) as handle:
            while chunk := handle.read(CHUNK_BYTES):
                yield chunk

    def drop(self) -> None:
        """Remove the file, where one was made."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)


def link(source: Path, target: Path) -> None:
    """Give the file a safe name: a hard link, or a copy across file systems."""
    target.unlink(missing_ok=True)  # of a load that ended before it could tidy up
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
