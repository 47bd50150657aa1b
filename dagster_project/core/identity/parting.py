"""Two identifiers that a steward keeps apart: the weakest links between them are left out.

Belongs here: pure arithmetic on arrays of integers. Does not: where decisions come from.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from dagster_project.core.identity.clusters import Keys, components

# What a link resists with: a thousand probable ones part before one record's own does.
STRENGTH = {"steward": 1_000_000, "probable": 1}
RECORD_STRENGTH = 1_000


def kept_links(
    identifier_key: Keys,
    left: Keys,
    right: Keys,
    strength: Keys,
    forbidden: Iterable[tuple[int, int]],
) -> NDArray[np.bool_]:
    """Which links stay so that no forbidden pair is connected.

    ``identifier_key`` is sorted; ``left`` and ``right`` are the links' identifier keys and
    ``strength`` what each resists with. Of all ways to part a pair, that of the least strength is
    taken and, of several, the one nearest to the smaller key: the same on every run.
    """
    kept = np.ones(len(left), bool)
    pairs = sorted({(min(a, b), max(a, b)) for a, b in forbidden})
    if not pairs:
        return kept
    whole = components(identifier_key, left, right)
    for source, target in pairs:
        cluster = whole[np.searchsorted(identifier_key, source)]
        if source == target or cluster != whole[np.searchsorted(identifier_key, target)]:
            continue
        inside = np.flatnonzero(kept & (whole[np.searchsorted(identifier_key, left)] == cluster))
        kept[inside[_cut(left[inside], right[inside], strength[inside], source, target)]] = False
    return kept


def _cut(left: Keys, right: Keys, strength: Keys, source: int, target: int) -> NDArray[np.bool_]:
    """The links of the least cut between two keys; none where they are apart already."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import breadth_first_order, maximum_flow

    keys = np.unique(np.r_[left, right, source, target])
    rows, columns = np.searchsorted(keys, left), np.searchsorted(keys, right)
    size = (len(keys), len(keys))
    ends = (np.r_[rows, columns], np.r_[columns, rows])
    graph = coo_array((np.r_[strength, strength].astype(np.int32), ends), shape=size).tocsr()
    first, last = (int(np.searchsorted(keys, key)) for key in (source, target))
    rest = graph - maximum_flow(graph, first, last).flow
    rest.data[rest.data < 0] = 0
    rest.eliminate_zeros()
    near = np.zeros(len(keys), bool)
    near[breadth_first_order(rest, first, return_predecessors=False)] = True
    return near[rows] != near[columns]
