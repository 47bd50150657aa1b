"""Who is who: one person key for every identifier, kept as far as the evidence allows.

Belongs here: reading the held map, writing only its differences, the history. Does not: which
identifiers were seen together (``links``), how keys are inherited (``clusters``).
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import numpy as np

from dagster_project.core.identity import clusters, links

IDENTITY_TABLES = """
create table if not exists identity.person_identifier (
    sender varchar not null,            -- '*' where the identifier means the same everywhere
    identifier_kind varchar not null,   -- member, email, phone, card, handle, visitor
    identifier_token varchar not null,
    person_key bigint,                  -- null: a hub, shared by too many to say who it is
    rule varchar not null,              -- strongest evidence that ties it to its person
    confidence double not null,         -- 1: deterministic
    changed_batch_id bigint not null    -- batch after which person_key became what it is
);
create table if not exists identity.person_key_history (
    event_at timestamptz not null,
    event varchar not null,             -- merge, split, move
    person_key bigint not null,         -- the identifiers' person from now on
    other_person_key bigint not null,   -- and until now
    changed_batch_id bigint not null,
    reason varchar not null
);
"""
BUILD = "identity"


@dataclass(frozen=True)
class IdentityOutcome:
    """What a resolution found and wrote; counts of rows, ``written_count`` over all tables."""

    identifier_count: int
    person_count: int
    hub_count: int
    written_count: int
    merge_count: int
    split_count: int
    batch_id: int
    is_current: bool  # nothing had come in since the last resolution, so nothing was read


def create_identity_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Make identity's tables where they are missing."""
    connection.execute(IDENTITY_TABLES)


def resolve_persons(connection: duckdb.DuckDBPyConnection) -> IdentityOutcome:
    """Bring ``identity.person_identifier`` in line with everything in ``raw``.

    The write is one transaction and holds only differences: a second call writes 0 rows. Persons
    keep their keys as ``clusters.resolve_clusters`` says; merges, splits and moves of identifiers
    go to ``identity.person_key_history``. Shops' shared identifiers (hubs) get no person.
    """
    create_identity_tables(connection)
    if _is_current(connection):
        return _outcome(connection, written=(0, 0, 0), is_current=True)
    links.observe(connection)
    _assign(connection)
    connection.execute("begin")
    try:
        written = _write(connection)
        _remember(connection)
        connection.execute("commit")
    except BaseException:
        connection.execute("rollback")
        raise
    finally:
        for table in ("identifier", "link", "hub", "change", "resolved"):
            connection.execute(f"drop table if exists temp.identity_{table}")
    return _outcome(connection, written, is_current=False)


def _assign(connection: duckdb.DuckDBPyConnection) -> None:
    """Fill the temporary table ``identity_resolved``: identifier_key and its person_key."""
    import pyarrow as pa

    found = connection.execute(_HELD).fetchnumpy()
    linked = connection.execute("select left_key, right_key from identity_link").fetchnumpy()
    persons = clusters.resolve_clusters(
        _integers(found["identifier_key"]),
        _integers(found["kind_rank"]),
        _integers(found["held_key"]),
        _integers(linked["left_key"]),
        _integers(linked["right_key"]),
    )
    resolved = pa.table(
        {"identifier_key": _integers(found["identifier_key"]), "person_key": persons.person_key}
    )
    connection.register("identity_resolved_frame", resolved)
    connection.execute(
        "create or replace temp table identity_resolved as "
        "select identifier_key, person_key from identity_resolved_frame"
    )
    connection.unregister("identity_resolved_frame")


def _integers(column: np.ndarray) -> clusters.Keys:
    return np.asarray(column, np.int64)


def _write(connection: duckdb.DuckDBPyConnection) -> tuple[int, int, int]:
    """Write the differences; returns rows written, merges and splits."""
    connection.execute(_CHANGE)
    count, moved = connection.execute(
        "select count(*), count(*) filter (where is_moved) from identity_change"
    ).fetchone()
    if count == 0:
        return 0, 0, 0
    batch_id = _batch_id(connection) if moved else _last_batch_id(connection)
    connection.execute(_HISTORY, {"batch_id": batch_id})
    merges, splits, events = connection.execute(
        "select count(*) filter (where event = 'merge'), count(*) filter (where event = 'split'), "
        "count(*) from identity_event"
    ).fetchone()
    connection.execute(
        "insert into identity.person_key_history select event_at, event, person_key, "
        "other_person_key, changed_batch_id, reason from identity_event"
    )
    connection.execute("drop table identity_event")
    connection.execute(_DELETE)
    connection.execute(_UPDATE, {"batch_id": batch_id})
    connection.execute(_INSERT, {"batch_id": batch_id})
    return count + events, merges, splits


def _last_batch_id(connection: duckdb.DuckDBPyConnection) -> int:
    return connection.execute("select coalesce(max(batch_id), 0) from ops.batch").fetchone()[0]


def _batch_id(connection: duckdb.DuckDBPyConnection) -> int:
    """The batch to mark changes with: the last one, or one of identity's own.

    The models already hold the last batch when only the rules of identity changed; they would
    then never see changes marked with it.
    """
    last = _last_batch_id(connection)
    built = connection.execute(
        "select coalesce(max(built_batch_id), 0) from ops.build_state where build = 'models'"
    ).fetchone()[0]
    if last > built:
        return last
    return connection.execute(
        "insert into ops.batch values (nextval('ops.batch_sequence'), 'identity', now(), 0, 0) "
        "returning batch_id"
    ).fetchone()[0]


def _fingerprint(connection: duckdb.DuckDBPyConnection) -> str:
    """Everything the resolution depends on: rules, limits, the raw tables, the map itself."""
    tables = [f"raw.{table}" for table in links.SOURCE_TABLES]
    sizes = " union all ".join(
        f"select {number} as n, count(*) as c, coalesce(max(_batch_id), 0) as b from {table}"
        for number, table in enumerate(tables)
    )
    state = connection.execute(f"select n, c, b from ({sizes}) order by n").fetchall()
    held = connection.execute("select count(*) from identity.person_identifier").fetchone()
    return repr((links.RULES_VERSION, links.HUB_LIMITS, state, held))


def _is_current(connection: duckdb.DuckDBPyConnection) -> bool:
    built = connection.execute(
        "select fingerprint from ops.build_state where build = $build", {"build": BUILD}
    ).fetchone()
    return built is not None and built[0] == _fingerprint(connection)


def _remember(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("delete from ops.build_state where build = $build", {"build": BUILD})
    connection.execute(
        "insert into ops.build_state values ($build, $batch_id, $fingerprint, now())",
        {
            "build": BUILD,
            "batch_id": _last_batch_id(connection),
            "fingerprint": _fingerprint(connection),
        },
    )


def _outcome(
    connection: duckdb.DuckDBPyConnection, written: tuple[int, int, int], *, is_current: bool
) -> IdentityOutcome:
    counts = connection.execute(
        "select count(*), count(distinct person_key), count(*) filter (where person_key is null) "
        "from identity.person_identifier"
    ).fetchone()
    return IdentityOutcome(
        *counts, *written, batch_id=_last_batch_id(connection), is_current=is_current
    )


_HELD_KEY = links.identifier_key("identifier_kind", "sender", "identifier_token")
_RANK = (
    "case identifier_kind "
    + " ".join(f"when '{kind}' then {rank}" for rank, kind in enumerate(links.KINDS))
    + " end"
)

# A hub that is a member number stands for its account alone; any other hub is nobody's.
_HELD = f"""
select
    identifiers.identifier_key,
    {_RANK} as kind_rank,
    coalesce(held.person_key, -1) as held_key
from identity_identifier as identifiers
left join (
    select {_HELD_KEY} as identifier_key, person_key
    from identity.person_identifier
) as held using (identifier_key)
where not is_hub or identifier_kind = 'member'
order by identifiers.identifier_key
"""

_CHANGE = f"""
create or replace temp table identity_change as
with tie as (
    select left_key as identifier_key, rule
    from identity_link
    union all
    select right_key, rule
    from identity_link
),
strongest as (
    select
        identifier_key,
        min_by(rule, list_position(
            ['member_record', 'web_order', 'log_in', 'till_card', 'post'], rule
        )) as rule
    from tie
    group by identifier_key
),
now_true as (
    select
        identifier_key, sender, identifier_kind, identifier_token, person_key,
        case when is_hub then 'hub' else coalesce(rule, 'alone') end as rule
    from identity_identifier
    left join identity_resolved using (identifier_key)
    left join strongest using (identifier_key)
),
held as (
    select {_HELD_KEY} as identifier_key, person_key, rule
    from identity.person_identifier
)
select
    identifier_key,
    now_true.sender,
    now_true.identifier_kind,
    now_true.identifier_token,
    now_true.person_key,
    now_true.rule,
    held.person_key as held_person_key,
    held.identifier_key is null as is_new,
    now_true.identifier_key is null as is_gone,
    held.identifier_key is null or now_true.person_key is distinct from held.person_key as is_moved
from now_true
full join held using (identifier_key)
where held.identifier_key is null
    or now_true.identifier_key is null
    or now_true.person_key is distinct from held.person_key
    or now_true.rule is distinct from held.rule
"""

_HISTORY = """
create or replace temp table identity_event as
with moved as (
    select person_key, held_person_key, count(*) as identifier_count
    from identity_change
    where not is_new and not is_gone and is_moved
        and person_key is not null and held_person_key is not null
    group by person_key, held_person_key
),
event as (
    select
        person_key, held_person_key, identifier_count,
        case
            when held_person_key not in (select person_key from identity_resolved) then 'merge'
            when person_key not in (
                select person_key from identity.person_identifier where person_key is not null
            ) then 'split'
            else 'move'
        end as event
    from moved
)
select
    now() as event_at, event, person_key, held_person_key as other_person_key,
    $batch_id as changed_batch_id,
    identifier_count || ' identifiers' as reason
from event
"""

_DELETE = f"""
delete from identity.person_identifier
where {_HELD_KEY} in (select identifier_key from identity_change where is_gone)
"""

_UPDATE = f"""
update identity.person_identifier
set person_key = identity_change.person_key,
    rule = identity_change.rule,
    changed_batch_id = case
        when identity_change.is_moved then $batch_id else person_identifier.changed_batch_id
    end
from identity_change
where {
    links.identifier_key(
        "person_identifier.identifier_kind",
        "person_identifier.sender",
        "person_identifier.identifier_token",
    )
} = identity_change.identifier_key
    and not identity_change.is_new and not identity_change.is_gone
"""

_INSERT = """
insert into identity.person_identifier
select sender, identifier_kind, identifier_token, person_key, rule, 1.0, $batch_id
from identity_change
where is_new
"""
