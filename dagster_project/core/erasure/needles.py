"""Many byte strings looked for at once.

Belongs here: which of them a piece of bytes holds. Does not: what they are, nor where to look.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import numpy as np

PREFIX = 8  # bytes by which a needle is looked up
BITS = 22  # of the table of prefixes: a few thousand of them leave it next to empty
SPREAD = np.uint64(0x9E3779B97F4A7C15)  # 2**64 over the golden ratio: close prefixes lie far apart
BLOCK_WORDS = 1 << 16  # at a time: they stay in the processor's cache


class Needles:
    """Byte strings, the longer ones by their first eight bytes at every place of what is searched.

    One pass for all of them: searched for one by one, a hundred persons take minutes in a home's
    log files. Those shorter than eight bytes, of which there are few, are searched for singly.
    """

    def __init__(self, needles: Iterable[bytes]) -> None:
        self._short: list[bytes] = []
        self._long: dict[int, list[bytes]] = defaultdict(list)
        for needle in dict.fromkeys(needles):
            if len(needle) < PREFIX:
                self._short.append(needle)
            else:
                self._long[int.from_bytes(needle[:PREFIX], "little")].append(needle)
        self.longest = max(
            (len(needle) for group in (self._short, *self._long.values()) for needle in group),
            default=1,
        )
        self._may_be = np.zeros(1 << BITS, dtype=bool)
        self._may_be[_places(np.fromiter(self._long, dtype="<u8", count=len(self._long)))] = True

    def held_by(self, content: bytes) -> set[bytes]:
        """Those that stand anywhere in it."""
        found = {needle for needle in self._short if needle in content}
        for shift in range(PREFIX if self._long else 0):
            words = max(len(content) - shift, 0) // PREFIX
            for first in range(0, words, BLOCK_WORDS):
                start = shift + first * PREFIX
                count = min(BLOCK_WORDS, words - first)
                found |= self._starting_at(content, start, count)
        return found

    def _starting_at(self, content: bytes, start: int, count: int) -> set[bytes]:
        """Those that begin at ``start`` or at one of the next words of eight bytes."""
        here = np.frombuffer(content, "<u8", count, start)
        return {
            needle
            for word in np.flatnonzero(self._may_be[_places(here)])
            for needle in self._long.get(int(here[word]), ())
            if content.startswith(needle, start + int(word) * PREFIX)
        }


def _places(words: np.ndarray) -> np.ndarray:
    """Where each word stands in the table."""
    return (words * SPREAD) >> np.uint64(64 - BITS)
