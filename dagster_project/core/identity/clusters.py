"""From links to persons: connected components, and the key each of them inherits or is given.

Belongs here: pure arithmetic on arrays of integers. Does not: SQL, tokens.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import md5

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.int64]
NO_PERSON = np.int64(-1)


@dataclass(frozen=True)
class Elsewhere:
    """What identifiers that are not resolved again keep to themselves."""

    person_key: Keys  # of their persons, each once
    earlier_key: Keys  # that each had before its person first merged, where it did


NOWHERE = Elsewhere(np.empty(0, np.int64), np.empty(0, np.int64))


@dataclass(frozen=True)
class Persons:
    """The person of each identifier, in the identifiers' order."""

    cluster: Keys  # number of the connected component
    person_key: Keys
    anchor: Keys  # the identifier key that stands for the person


def resolve_clusters(
    identifier_key: Keys,
    kind_rank: Keys,
    held_key: Keys,
    left: Keys,
    right: Keys,
    *,
    earlier_key: Keys | None = None,
    elsewhere: Elsewhere = NOWHERE,
) -> Persons:
    """The person of each identifier.

    ``identifier_key`` is sorted and unique; ``kind_rank`` orders the kinds, the anchor's first;
    ``held_key`` is the person key that the identifier had, or -1; ``left`` and ``right`` are the
    identifier keys of each link; ``earlier_key`` is the key it had before its person first merged
    with another, or -1. A cluster takes the key of the person it overlaps most, ties go to the
    smallest key; of a merged person that comes apart, the part keeps the key that had it before,
    and the others get back theirs. A cluster without any is keyed by its anchor identifier, the
    first by kind and then by key. No step depends on the order of links or of the rows behind them.
    A part of all identifiers comes out as it does among all, if no link and no held key leads out
    of it and ``elsewhere`` says what the others have.
    """
    earlier = np.full(len(identifier_key), NO_PERSON) if earlier_key is None else earlier_key
    cluster = components(identifier_key, left, right)
    anchor = _anchors(identifier_key, kind_rank, cluster)
    inherited = _inherit(cluster, held_key, anchor, _as_before(cluster, held_key, earlier))
    restored = _restore(inherited, cluster, earlier, anchor, elsewhere)
    keys = _fill(restored, anchor, elsewhere.person_key)
    return Persons(cluster=cluster, person_key=keys[cluster], anchor=anchor[cluster])


def _as_before(cluster: Keys, held_key: Keys, earlier: Keys) -> NDArray[np.bool_]:
    """Whether an identifier speaks for its held key.

    All do, unless their person comes apart and some of it had the key before it merged: then those.
    """
    speaks = held_key != NO_PERSON
    _, claimed, _ = _counted(cluster[speaks], held_key[speaks])
    held, count = np.unique(claimed, return_counts=True)
    merged = np.unique(held_key[speaks & (earlier == held_key)])
    apart = np.intersect1d(held[count > 1], merged)
    return speaks & (~np.isin(held_key, apart) | (earlier == held_key))


def _restore(
    inherited: Keys, cluster: Keys, earlier: Keys, anchor: Keys, elsewhere: Elsewhere
) -> Keys:
    """Clusters without a key get the earlier one of most of those who had it, unless it is used."""
    keys = inherited.copy()
    asked = (earlier != NO_PERSON) & (keys[cluster] == NO_PERSON)
    if not asked.any():
        return keys
    had = np.r_[earlier[earlier != NO_PERSON], elsewhere.earlier_key]
    everybody, size = np.unique(had, return_counts=True)
    clusters, wanted, overlap = _counted(cluster[asked], earlier[asked])
    most = 2 * overlap > size[np.searchsorted(everybody, wanted)]
    free = most & ~np.isin(wanted, keys) & ~np.isin(wanted, elsewhere.person_key)
    claims = zip(-overlap[free], wanted[free], anchor[clusters[free]], clusters[free], strict=True)
    _settle(keys, claims)
    return keys


def components(identifier_key: Keys, left: Keys, right: Keys) -> Keys:
    """The number of each key's connected component; keys are sorted, links are pairs of them."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    size = len(identifier_key)
    if size == 0:
        return np.empty(0, np.int64)
    rows = np.searchsorted(identifier_key, left)
    columns = np.searchsorted(identifier_key, right)
    graph = coo_array((np.ones(len(rows), np.int8), (rows, columns)), shape=(size, size))
    return connected_components(graph.tocsr(), directed=False)[1].astype(np.int64)


def _anchors(identifier_key: Keys, kind_rank: Keys, cluster: Keys) -> Keys:
    """Each cluster's anchor: the key of its first identifier by kind, then by key."""
    order = np.lexsort((identifier_key, kind_rank, cluster))
    first = np.r_[True, np.diff(cluster[order]) > 0] if len(order) else np.empty(0, bool)
    return identifier_key[order][first]


def _inherit(cluster: Keys, held_key: Keys, anchor: Keys, known: NDArray[np.bool_]) -> Keys:
    """Per cluster the held key that it overlaps most, each key given once; else -1."""
    keys = np.full(len(anchor), NO_PERSON)
    clusters, held, overlap = _counted(cluster[known], held_key[known])
    if not len(overlap):
        return keys
    alone = _occurs_once(clusters) & _occurs_once(held)
    keys[clusters[alone]] = held[alone]
    contested = ~alone
    claims = zip(
        -overlap[contested],
        held[contested],
        anchor[clusters[contested]],
        clusters[contested],
        strict=True,
    )
    _settle(keys, claims)
    return keys


def _counted(first: Keys, second: Keys) -> tuple[Keys, Keys, Keys]:
    """The distinct pairs of two arrays, in order, and how often each stands there."""
    order = np.lexsort((second, first))
    first, second = first[order], second[order]
    is_start = np.ones(len(order), bool)
    is_start[1:] = (np.diff(first) != 0) | (np.diff(second) != 0)
    starts = np.flatnonzero(is_start)
    return first[starts], second[starts], np.diff(np.r_[starts, len(order)])


def _settle(keys: Keys, claims: Iterable[tuple[int, int, int, int]]) -> None:
    """Give contested keys away: larger overlap first, then smaller key, then smaller anchor."""
    taken: set[int] = set()
    for _, held, _, cluster in sorted(claims):
        if held not in taken and keys[cluster] == NO_PERSON:
            keys[cluster] = held
            taken.add(held)


def _occurs_once(values: Keys) -> NDArray[np.bool_]:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return counts[inverse] == 1


def _fill(inherited: Keys, anchor: Keys, elsewhere: Keys) -> Keys:
    """New keys for clusters without one: the anchor's, else one derived from it and a number.

    The anchor's own key may still belong to the person that it was split from.
    """
    keys = inherited.copy()
    new = np.flatnonzero(keys == NO_PERSON)
    keys[new] = anchor[new]
    clashing = new[np.isin(anchor[new], inherited) | np.isin(anchor[new], elsewhere)]
    used = {*keys.tolist(), *elsewhere.tolist()} if len(clashing) else set()
    for cluster in clashing[np.argsort(anchor[clashing])]:
        number = 1
        while (key := _derived(int(anchor[cluster]), number)) in used:
            number += 1
        keys[cluster] = key
        used.add(key)
    return keys


def _derived(anchor: int, number: int) -> int:
    digest = md5(f"{anchor}\x1f{number}".encode(), usedforsecurity=False).digest()
    return int.from_bytes(digest[:8], "little") >> 1
