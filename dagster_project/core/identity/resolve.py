"""Who is who: one person key for every identifier, kept as far as the evidence allows.

Belongs here: the tables that stay, writing only their differences, the history. Does not: who is
one person (``assigning``), how keys are inherited (``clusters``).
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from dagster_project.core.identity import assigning, links, records, touched

IDENTITY_TABLES = f"""
create table if not exists identity.person_identifier (
    sender varchar not null,            -- '*' where the identifier means the same everywhere
    identifier_kind varchar not null,   -- member, email, phone, card, handle, visitor
    identifier_token varchar not null,
    person_key bigint,                  -- null: a hub, shared by too many to say who it is
    rule varchar not null,              -- strongest evidence that ties it to its person
    confidence double not null,         -- 1: certain; else the probability of the pair it hangs on
    changed_batch_id bigint not null    -- batch after which person_key became what it is
);
create table if not exists identity.person_identifier_history (
    sender varchar not null,
    identifier_kind varchar not null,
    identifier_token varchar not null,
    person_key bigint,                  -- whose it was until then
    rule varchar not null,
    confidence double not null,
    until_at timestamptz not null,
    changed_batch_id bigint not null    -- batch after which it was no longer so
);
create table if not exists identity.person_key_history (
    event_at timestamptz not null,
    event varchar not null,             -- merge, split, move
    person_key bigint not null,         -- the identifiers' person from now on
    other_person_key bigint not null,   -- and until now
    changed_batch_id bigint not null,
    reason varchar not null
);
create table if not exists identity.person_key_before (
    identifier_key bigint not null,
    person_key bigint not null          -- its person's key before that first merged with another
);
{records.MATCH_TABLES}
{touched.EVIDENCE_TABLES}
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
    matching: str  # deterministic alone, or with which weights, in words


def create_identity_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Make identity's tables where they are missing."""
    connection.execute(IDENTITY_TABLES)


def resolve_persons(
    connection: duckdb.DuckDBPyConnection, *, probabilistic: bool = True
) -> IdentityOutcome:
    """Bring ``identity.person_identifier`` in line with everything in ``raw``.

    The write is one transaction and holds only differences: a second call writes 0 rows. Persons
    keep their keys as ``clusters.resolve_clusters`` says; merges, splits and moves of identifiers
    go to ``identity.person_key_history``. Shops' shared identifiers (hubs) get no person. Probable
    pairs count where ``probabilistic`` and the extra ``ml`` allow; the outcome says whether.
    """
    create_identity_tables(connection)
    rules = assigning.standing_rules(probabilistic)
    if _is_current(connection, rules):
        return _outcome(connection, rules, written=(0, 0, 0), is_current=True)
    assigning.assign(connection, rules, only_touched=True)
    connection.execute("begin")
    try:
        written = _write(connection)
        touched.keep(connection)
        records.keep_probable(connection, rules.model)
        _remember(connection, rules)
        connection.execute("commit")
    except BaseException:
        connection.execute("rollback")
        raise
    finally:
        assigning.forget(connection)
        connection.execute("drop table if exists temp.identity_change")
    return _outcome(connection, rules, written, is_current=False)


def _write(connection: duckdb.DuckDBPyConnection) -> tuple[int, int, int]:
    """Write the differences; returns rows written, merges and splits."""
    connection.execute(CHANGE)
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
    connection.execute(_BEFORE)
    connection.execute("drop table identity_event")
    connection.execute(_CLOSE, {"batch_id": batch_id})
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


def _fingerprint(connection: duckdb.DuckDBPyConnection, rules: assigning.Rules) -> str:
    """Everything the resolution depends on: rules, limits, the raw tables, the map itself."""
    tables = [f"raw.{table}" for table in links.SOURCE_TABLES]
    sizes = " union all ".join(
        f"select {number} as n, count(*) as c, coalesce(max(_batch_id), 0) as b from {table}"
        for number, table in enumerate(tables)
    )
    state = connection.execute(f"select n, c, b from ({sizes}) order by n").fetchall()
    held = connection.execute("select count(*) from identity.person_identifier").fetchone()
    matching = records.fingerprint(rules.model)
    return repr((links.RULES_VERSION, rules.hub_limits, matching, state, held))


def _is_current(connection: duckdb.DuckDBPyConnection, rules: assigning.Rules) -> bool:
    built = connection.execute(
        "select fingerprint from ops.build_state where build = $build", {"build": BUILD}
    ).fetchone()
    return built is not None and built[0] == _fingerprint(connection, rules)


def _remember(connection: duckdb.DuckDBPyConnection, rules: assigning.Rules) -> None:
    connection.execute("delete from ops.build_state where build = $build", {"build": BUILD})
    connection.execute(
        "insert into ops.build_state values ($build, $batch_id, $fingerprint, now())",
        {
            "build": BUILD,
            "batch_id": _last_batch_id(connection),
            "fingerprint": _fingerprint(connection, rules),
        },
    )


def _outcome(
    connection: duckdb.DuckDBPyConnection,
    rules: assigning.Rules,
    written: tuple[int, int, int],
    *,
    is_current: bool,
) -> IdentityOutcome:
    counts = connection.execute(
        "select count(*), count(distinct person_key), count(*) filter (where person_key is null) "
        "from identity.person_identifier"
    ).fetchone()
    return IdentityOutcome(
        *counts,
        *written,
        batch_id=_last_batch_id(connection),
        is_current=is_current,
        matching=rules.matching,
    )


CHANGE = f"""
create or replace temp table identity_change as
with tie as (
    select left_key as identifier_key, rule
    from identity_link semi join identity_touched on identity_touched.identifier_key = left_key
    union all
    select right_key, rule
    from identity_link semi join identity_touched on identity_touched.identifier_key = right_key
),
strongest as (
    select
        identifier_key,
        min_by(rule, list_position({list(links.RULES)}, rule)) as rule
    from tie
    group by identifier_key
),
now_true as (
    select
        identifier_key, sender, identifier_kind, identifier_token, person_key,
        case when is_hub then 'hub' else coalesce(rule, 'alone') end as rule,
        coalesce(confidence, 1) as confidence
    from identity_identifier
    semi join identity_touched using (identifier_key)
    left join identity_resolved using (identifier_key)
    left join strongest using (identifier_key)
),
everybody as (
    select {assigning.HELD_KEY} as identifier_key, person_key, rule, confidence,
        sender, identifier_kind, identifier_token
    from identity.person_identifier
),
held as (
    select identifier_key, person_key, rule, confidence, sender, identifier_kind, identifier_token
    from everybody semi join identity_touched using (identifier_key)
)
select
    identifier_key,
    coalesce(now_true.sender, held.sender) as sender,
    coalesce(now_true.identifier_kind, held.identifier_kind) as identifier_kind,
    coalesce(now_true.identifier_token, held.identifier_token) as identifier_token,
    now_true.person_key,
    now_true.rule,
    now_true.confidence,
    held.person_key as held_person_key,
    held.rule as held_rule,
    held.confidence as held_confidence,
    held.identifier_key is null as is_new,
    now_true.identifier_key is null as is_gone,
    held.identifier_key is null or now_true.person_key is distinct from held.person_key as is_moved
from now_true
full join held using (identifier_key)
where held.identifier_key is null
    or now_true.identifier_key is null
    or now_true.person_key is distinct from held.person_key
    or now_true.rule is distinct from held.rule
    or now_true.confidence is distinct from held.confidence
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

# Both sides of a merge, as they were before the first of them: what undoing it needs.
_BEFORE = f"""
insert into identity.person_key_before
with moved as (
    select identifier_key, person_key, held_person_key
    from identity_change
    where not is_new and (person_key, held_person_key) in (
        select person_key, other_person_key from identity_event where event in ('merge', 'move')
    )
),
side as (
    select identifier_key, held_person_key as person_key
    from moved
    union
    select {assigning.HELD_KEY}, person_key
    from identity.person_identifier
    where person_key in (select person_key from moved)
)
select identifier_key, person_key
from side
anti join identity.person_key_before using (identifier_key)
"""

_CLOSE = """
insert into identity.person_identifier_history
select
    sender, identifier_kind, identifier_token, held_person_key, held_rule, held_confidence,
    now(), $batch_id
from identity_change
where not is_new and is_moved
"""

_DELETE = f"""
delete from identity.person_identifier
where {assigning.HELD_KEY} in (select identifier_key from identity_change where is_gone)
"""

_UPDATE = f"""
update identity.person_identifier
set person_key = identity_change.person_key,
    rule = identity_change.rule,
    confidence = identity_change.confidence,
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
select sender, identifier_kind, identifier_token, person_key, rule, confidence, $batch_id
from identity_change
where is_new
"""
