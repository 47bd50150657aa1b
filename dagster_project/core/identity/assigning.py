"""From what was seen together to a person for each identifier, in temporary tables only.

Belongs here: gathering links of all kinds and the arithmetic on them. Does not: writing anything
that stays (``resolve``), so that a dry run can do all of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np

from dagster_project.core.identity import (
    clusters,
    decisions,
    links,
    matching,
    parting,
    records,
    spelling,
    touched,
)

TABLES = (
    "identifier", "link", "hub", "decision", "resolved", "content", "probable", "held", "touched",
    *spelling.TABLES,
)  # fmt: skip


@dataclass(frozen=True)
class Rules:
    """What a resolution goes by; ``model`` is none where it is deterministic alone."""

    hub_limits: Mapping[str, int]
    model: matching.Model | None
    matching: str  # which matching it is, in words


def standing_rules(probabilistic: bool) -> Rules:
    """The rules of this version; without the extra ``ml`` they are deterministic alone."""
    if not probabilistic:
        return Rules(links.HUB_LIMITS, None, "deterministic alone: switched off in settings.yaml")
    if not matching.is_available():
        why = "deterministic alone: the extra tillhouse[ml] is not installed"
        return Rules(links.HUB_LIMITS, None, why)
    model = matching.load_model()
    words = f"deterministic, then Splink with weights {model.version} from {model.threshold}"
    return Rules(links.HUB_LIMITS, model, words)


def assign(
    connection: duckdb.DuckDBPyConnection, rules: Rules, *, only_touched: bool = False
) -> None:
    """Fill ``identity_resolved``: identifier_key, person_key, confidence, and the tables before.

    With ``only_touched`` it has the identifiers of ``touched.find`` alone; for all others the map
    as it is held says what it would say.

    ``identity_identifier`` and ``identity_link`` as ``links.observe`` says, with the links of
    steward and of probable pairs; ``identity_decision``, ``identity_content``,
    ``identity_probable``. Links that part what a steward keeps apart are taken out.
    """
    links.observe(connection, rules.hub_limits)
    decisions.read_decisions(connection)
    connection.execute(_FORCED)
    if rules.model is not None:
        records.find_probable(connection, rules.model)
        connection.execute(_PROBABLE, {"threshold": rules.model.threshold})
    if only_touched:
        touched.find(connection)
    else:
        touched.everything(connection)
    _resolve(connection)


def forget(connection: duckdb.DuckDBPyConnection) -> None:
    """Drop what ``assign`` left."""
    for table in TABLES:
        connection.execute(f"drop table if exists temp.identity_{table}")


def _resolve(connection: duckdb.DuckDBPyConnection) -> None:
    held = connection.execute(_HELD).fetchnumpy()
    linked = connection.execute(_LINKED).fetchnumpy()
    forbidden = connection.execute(_FORBIDDEN).fetchall()
    identifiers = _integers(held["identifier_key"])
    left, right = _integers(linked["left_key"]), _integers(linked["right_key"])
    kept = parting.kept_links(identifiers, left, right, _integers(linked["strength"]), forbidden)
    if not kept.all():
        _take_out(connection, linked, ~kept)
    left, right = left[kept], right[kept]
    probability = np.asarray(linked["probability"], np.float64)[kept]
    persons = clusters.resolve_clusters(
        identifiers, _integers(held["kind_rank"]), _integers(held["held_key"]), left, right,
        earlier_key=_integers(held["earlier_key"]), elsewhere=touched.keys_elsewhere(connection),
    )  # fmt: skip
    confidence = _confidence(identifiers, persons.anchor, left, right, probability)
    _keep(connection, "identity_resolved", {
        "identifier_key": identifiers, "person_key": persons.person_key, "confidence": confidence,
    })  # fmt: skip


def _confidence(
    identifiers: clusters.Keys,
    anchor: clusters.Keys,
    left: clusters.Keys,
    right: clusters.Keys,
    probability: np.ndarray,
) -> np.ndarray:
    """How sure it is that each identifier is its person's: 1 with certain links to the anchor.

    What only probable pairs tie to the anchor has the probability of the best of them.
    """
    certain = probability >= 1
    if certain.all():
        return np.ones(len(identifiers))
    part = clusters.components(identifiers, left[certain], right[certain])
    best = np.zeros(part.max() + 1)
    for side in (left, right):
        ends = part[np.searchsorted(identifiers, side[~certain])]
        np.maximum.at(best, ends, probability[~certain])
    is_anchors = part == part[np.searchsorted(identifiers, anchor)]
    return np.where(is_anchors, 1.0, best[part])


def _take_out(
    connection: duckdb.DuckDBPyConnection, linked: Mapping[str, Any], gone: np.ndarray
) -> None:
    _keep(connection, "identity_parted", {
        side: _integers(linked[side])[gone] for side in ("left_key", "right_key")
    })  # fmt: skip
    connection.execute(
        "delete from identity_link where (left_key, right_key) in (from identity_parted)"
    )
    connection.execute("drop table temp.identity_parted")


def _keep(
    connection: duckdb.DuckDBPyConnection, name: str, columns: Mapping[str, np.ndarray]
) -> None:
    import pyarrow as pa

    connection.register("identity_frame", pa.table(dict(columns)))
    connection.execute(f"create or replace temp table {name} as from identity_frame")
    connection.unregister("identity_frame")


def _integers(column: np.ndarray) -> clusters.Keys:
    return np.asarray(column, np.int64)


_FORCED = """
insert into identity_link (left_key, right_key, rule, probability)
select left_key, right_key, 'steward', 1
from identity_decision
where decision = 'force'
"""

_PROBABLE = f"""
insert into identity_link (left_key, right_key, rule, probability)
select left_key, right_key, 'probable', probability
from identity_probable
where probability >= $threshold
    and left_key in (select identifier_key {decisions.RESOLVABLE})
    and right_key in (select identifier_key {decisions.RESOLVABLE})
"""

_FORBIDDEN = """
select left_key, right_key
from identity_decision
where decision = 'forbid'
"""

# One link per pair, the strongest; the order makes every run the same.
_LINKED = f"""
select
    left_key, right_key,
    max(case rule
        when 'steward' then {parting.STRENGTH["steward"]}
        when 'probable' then {parting.STRENGTH["probable"]}
        else {parting.RECORD_STRENGTH}
    end) as strength,
    max(probability) as probability
from identity_link
semi join identity_touched on identity_touched.identifier_key = left_key
group by left_key, right_key
order by left_key, right_key
"""

RANK = (
    "case identifier_kind "
    + " ".join(f"when '{kind}' then {rank}" for rank, kind in enumerate(links.KINDS))
    + " end"
)
HELD_KEY = links.identifier_key("identifier_kind", "sender", "identifier_token")

# A hub that is a member number stands for its account alone; any other hub is nobody's.
_HELD = f"""
select
    identifiers.identifier_key,
    {RANK} as kind_rank,
    coalesce(held.person_key, -1) as held_key,
    coalesce(earlier.person_key, -1) as earlier_key
from identity_identifier as identifiers
semi join identity_touched using (identifier_key)
left join identity_held as held using (identifier_key)
left join identity.person_key_before as earlier using (identifier_key)
where not is_hub or identifier_kind = 'member'
order by identifiers.identifier_key
"""
