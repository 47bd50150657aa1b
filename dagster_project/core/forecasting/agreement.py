"""In what order the series of a forecast are made to add up.

Belongs here: which level is summed and which is shared out. Does not: the arithmetic (``engine``).

Stores are summed to their banner, banners to the total: adding up the stores beat a forecast of
the total. A rest of stores whose banner has no store of its own is scaled to what the total leaves
for it. Channels and categories are scaled to what that gives, and what stands in two cuts, like a
store's category, to both. Where the parts have not been the whole in all of history nothing is
done.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dagster_project.core.forecasting.definitions import Definition, Level
from dagster_project.core.forecasting.engine.coherence import ADD, SHARE, Crossed, Step
from dagster_project.core.forecasting.engine.coherence import Sums as Rule
from dagster_project.core.forecasting.hierarchy import Sums, reach

SUMMED = ("store", "film")  # what is nearest to the day's business


def steps(definition: Definition, found: Sequence[Sums]) -> tuple[Step, ...]:
    """Steps in the order in which they are taken."""
    pairs = {(one.parent_level, one.child_level): one for one in found if one.complete.all()}
    done: list[Step] = []
    settled: set[str] = set()
    chain = _upwards(definition.series, pairs)
    for parent, child in chain:
        done.append(_rule(ADD, pairs[parent, child]))
        settled |= {parent, child}
    for parent, child in reversed(chain):
        done += _remainders(pairs, parent, child)
    # The coarser first: a cut that is shared out to two others waits for both.
    for level in sorted(definition.series, key=lambda one: len(reach(one.by))):
        above = [parent for parent, child in pairs if child == level.level and parent in settled]
        nearest = _nearest(above, pairs)
        if level.level in settled or not nearest:
            continue
        rules = [_rule(SHARE, pairs[parent, level.level]) for parent in nearest[:2]]
        done.append(Crossed(*rules) if len(rules) == 2 else rules[0])
        settled.add(level.level)
    return tuple(done)


def _upwards(levels: Sequence[Level], pairs: dict[tuple[str, str], Sums]) -> list[tuple[str, str]]:
    """(parent, child) from the summed level upwards, nearest first.

    The summed level is the store's, or the only finer one of a level that has no other parts.
    """
    names = [one.level for one in levels]
    start = next((one for one in names if set(_cut(levels, one)) & set(SUMMED)), None)
    finest = [one for one in levels if not any(parent == one.level for parent, _ in pairs)]
    if start is None or not any(child == start for _, child in pairs):
        start = finest[-1].level if finest else None
    chain = []
    while start is not None:
        above = _nearest([parent for parent, child in pairs if child == start], pairs)
        if not above:
            break
        chain.append((above[0], start))
        start = above[0]
    return chain


def _remainders(pairs: dict[tuple[str, str], Sums], middle: str, child: str) -> list[Step]:
    """Parts of what lies above the middle that the middle's sums do not hold, scaled to fit."""
    done: list[Step] = []
    for above in (parent for parent, name in pairs if name == middle):
        if (above, child) not in pairs:
            continue
        held = np.concatenate(pairs[middle, child].children)
        whole = pairs[above, child]
        loose = [np.setdiff1d(rows, held) for rows in whole.children]
        kept = [np.intersect1d(rows, held) for rows in whole.children]
        some = [n for n, rows in enumerate(loose) if len(rows)]
        if some:
            done.append(
                Rule(
                    SHARE,
                    whole.parents[some],
                    tuple(loose[n] for n in some),
                    tuple(kept[n] for n in some),
                )
            )
    return done


def _cut(levels: Sequence[Level], name: str) -> tuple[str, ...]:
    """The dimensions of a level that is cut by one only; nothing for a finer one."""
    by = next(one.by for one in levels if one.level == name)
    return by if len(by) == 1 else ()


def _nearest(above: Sequence[str], pairs: dict[tuple[str, str], Sums]) -> list[str]:
    """Those of several parents that are not parents of another of them."""
    return [one for one in above if not any((one, other) in pairs for other in above)]


def _rule(rule: str, one: Sums) -> Rule:
    return Rule(rule, one.parents, one.children)
