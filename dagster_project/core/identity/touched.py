"""Which persons a resolution has to look at again, and which stay as they are.

Belongs here: what each person rests on, as one sum kept between resolutions, and its comparison
with today's links. Does not: who is one person (``assigning``, ``clusters``).

A person whose identifiers, links and map rows are those of the last resolution, and from whom no
link leads to anybody else, is a component of its own again, with the key it has. All others are
looked at again, with every identifier that is new, gone, or came to be or ceased to be a hub.
"""

from __future__ import annotations

import duckdb
import numpy as np

from dagster_project.core.identity import clusters, links

EVIDENCE_TABLES = """
create table if not exists identity.person_evidence (
    person_key bigint not null,
    evidence hugeint not null           -- sum of hashes: its identifiers, their rows, its links
);
"""
BUILD = "identity_evidence"

_IDENTIFIER_KEY = links.identifier_key("identifier_kind", "sender", "identifier_token")
_HELD = f"""
create or replace temp table identity_held as
select identifier_key, person_key, rule, confidence
from (
    select {_IDENTIFIER_KEY} as identifier_key, person_key, rule, confidence
    from identity.person_identifier
)
"""

_EVERYTHING = """
create or replace temp table identity_touched as
select identifier_key from identity_identifier
union
select identifier_key from identity_held
"""

_LINK_ENDS = """
create or replace temp table identity_link_end as
select
    left_held.person_key as left_person, right_held.person_key as right_person,
    hash(left_key, right_key, identity_link.rule, probability) as evidence
from identity_link
left join identity_held as left_held on left_held.identifier_key = left_key
left join identity_held as right_held on right_held.identifier_key = right_key
"""

# One row per person: what it rests on by today's links and identifiers and by the held map.
_EVIDENCE = """
select person_key, sum(evidence) as evidence
from (
    select held.person_key, hash(identifier_key, is_hub, held.rule, held.confidence) as evidence
    from identity_identifier
    inner join identity_held as held using (identifier_key)
    union all
    select left_person, evidence from identity_link_end where left_person = right_person
)
where person_key is not null
group by person_key
"""

# A decision to keep apart takes links out, so both its sides are always looked at.
_TOUCHED_PERSON = f"""
create or replace temp table identity_touched_person as
select person_key
from ({_EVIDENCE}) as today
full join identity.person_evidence as before using (person_key)
where today.evidence is distinct from before.evidence
union
select left_person from identity_link_end where left_person is distinct from right_person
union
select right_person from identity_link_end where left_person is distinct from right_person
union
select held.person_key
from (
    select unnest([left_key, right_key]) as end_key
    from identity_decision
    where decision = 'forbid'
) as decision
inner join identity_held as held on held.identifier_key = decision.end_key
"""

_TOUCHED = """
create or replace temp table identity_touched as
with both_sides as (
    select
        identifier_key, held.person_key, held.rule, held.confidence,
        identifiers.identifier_key is null or held.identifier_key is null as is_new_or_gone,
        is_hub and identifier_kind != 'member' as is_nobodys
    from identity_identifier as identifiers
    full join identity_held as held using (identifier_key)
)
select identifier_key
from both_sides
where is_new_or_gone
    or is_nobodys != (person_key is null)
    or (is_nobodys and (rule != 'hub' or confidence != 1))
    or person_key in (
        select person_key from identity_touched_person where person_key is not null
    )
"""

_FORGET_TOUCHED = """
delete from identity.person_evidence
where person_key in (
    select person_key
    from identity_held semi join identity_touched using (identifier_key)
    where person_key is not null
)
"""

_ELSEWHERE = """
select distinct person_key
from identity_held anti join identity_touched using (identifier_key)
where person_key is not null
"""

_EARLIER_ELSEWHERE = """
select before.person_key
from identity.person_key_before as before
inner join identity_identifier as identifiers using (identifier_key)
anti join identity_touched using (identifier_key)
where not is_hub or identifier_kind = 'member'
"""


def everything(connection: duckdb.DuckDBPyConnection) -> None:
    """Fill ``identity_touched`` with every identifier that is or was; and ``identity_held``.

    Needs ``identity_identifier``. ``identity_held`` has the map as it is held: identifier_key,
    person_key, rule, confidence.
    """
    connection.execute(_HELD)
    connection.execute(_EVERYTHING)


def find(connection: duckdb.DuckDBPyConnection) -> None:
    """Fill ``identity_touched``: identifiers to resolve again; and ``identity_held``.

    Needs ``identity_identifier``, ``identity_link`` with the links of all rules, and
    ``identity_decision``. No link leads from a touched identifier to one that is not. Where the
    evidence kept is of other rules, everything is touched.
    """
    if not _is_of(connection):
        everything(connection)
        return
    connection.execute(_HELD)
    connection.execute(_LINK_ENDS)
    connection.execute(_TOUCHED_PERSON)
    connection.execute(_TOUCHED)
    for table in ("link_end", "touched_person"):
        connection.execute(f"drop table temp.identity_{table}")


def keys_elsewhere(connection: duckdb.DuckDBPyConnection) -> clusters.Elsewhere:
    """The keys of the persons that are not touched."""
    person, earlier = (
        np.asarray(connection.execute(sql).fetchnumpy()["person_key"], np.int64)
        for sql in (_ELSEWHERE, _EARLIER_ELSEWHERE)
    )
    return clusters.Elsewhere(person, earlier)


def keep(connection: duckdb.DuckDBPyConnection) -> None:
    """Write what the touched persons rest on from now on; the map must be written before.

    Needs what ``find`` and the resolution left; ``identity_held`` becomes the touched part of the
    new map.
    """
    known = _is_of(connection)
    connection.execute(_FORGET_TOUCHED if known else "delete from identity.person_evidence")
    connection.execute(f"{_HELD} semi join identity_touched using (identifier_key)")
    connection.execute(
        f"{_LINK_ENDS} semi join identity_touched on identity_touched.identifier_key = left_key"
    )
    connection.execute(f"insert into identity.person_evidence {_EVIDENCE}")
    connection.execute("drop table temp.identity_link_end")
    if not known:
        connection.execute("delete from ops.build_state where build = $build", {"build": BUILD})
        connection.execute(
            "insert into ops.build_state values ($build, 0, $fingerprint, now())",
            {"build": BUILD, "fingerprint": _fingerprint()},
        )


def _fingerprint() -> str:
    """What evidence means: the rules' version, and the engine whose hashes are summed."""
    return f"{links.RULES_VERSION} {duckdb.__version__}"


def _is_of(connection: duckdb.DuckDBPyConnection) -> bool:
    held = connection.execute(
        "select fingerprint from ops.build_state where build = $build", {"build": BUILD}
    ).fetchone()
    return held is not None and held[0] == _fingerprint()
