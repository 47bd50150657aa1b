"""What another rule would do: persons, merges, splits and tiers, without writing anything.

Belongs here: the comparison of the held map with what other limits or another threshold give. Does
not: deciding for them: a rule changes in ``links`` or ``matching.yaml``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import duckdb

from dagster_project.core.identity import assigning, links


class RehearsalError(Exception):
    """The change cannot be tried; the message says why in one line."""


@dataclass(frozen=True)
class Rehearsal:
    """Counts under the rules as they are held, and under the others."""

    persons_before: int
    persons_after: int
    hubs_before: int
    hubs_after: int
    merged: int  # persons whose key would be gone, all of theirs being another's
    split_off: int  # persons that would be new, of identifiers that somebody holds
    moved_identifiers: int
    tiers: Mapping[str, tuple[int, int]]  # members by tier, before and after; '' without a tier
    matching: str


def dry_run(
    connection: duckdb.DuckDBPyConnection,
    rules: assigning.Rules,
    *,
    hub_limits: Mapping[str, int] | None = None,
    threshold: float | None = None,
) -> Rehearsal:
    """Try other hub limits or another threshold; a person's tier is that of the leading account.

    Raises RehearsalError for a kind without a limit, or a threshold below what is kept or without
    weights to apply it to.
    """
    assigning.assign(connection, _changed(rules, hub_limits or {}, threshold))
    try:
        counts = connection.execute(_COUNTS).fetchone()
        tiers = connection.execute(_TIERS).fetchall()
    finally:
        assigning.forget(connection)
    by_tier = {tier: (before, after) for tier, before, after in tiers}
    return Rehearsal(*counts, tiers=by_tier, matching=rules.matching)


def _changed(
    rules: assigning.Rules, hub_limits: Mapping[str, int], threshold: float | None
) -> assigning.Rules:
    if unknown := set(hub_limits) - set(links.HUB_LIMITS):
        known = ", ".join(links.HUB_LIMITS)
        raise RehearsalError(f"no hub limit for {', '.join(sorted(unknown))}; there are {known}")
    model = rules.model
    if threshold is not None:
        if model is None:
            raise RehearsalError(f"no threshold to change: {rules.matching}")
        if not model.kept_from <= threshold <= 1:
            raise RehearsalError(f"a threshold lies between {model.kept_from} and 1")
        model = replace(model, threshold=threshold)
    return replace(rules, hub_limits={**rules.hub_limits, **hub_limits}, model=model)


_COUNTS = f"""
with held as (
    select {assigning.HELD_KEY} as identifier_key, person_key
    from identity.person_identifier
),
both_known as (
    select held.person_key as before_key, resolved.person_key as after_key
    from held
    inner join identity_identifier using (identifier_key)
    left join identity_resolved as resolved using (identifier_key)
)
select
    (select count(distinct person_key) from held),
    (select count(distinct person_key) from identity_resolved),
    (select count(*) from held where person_key is null),
    (select count(*) from identity_identifier where is_hub)
        - (select count(*) from identity_identifier where is_hub and identifier_kind = 'member'),
    count(distinct before_key) filter (
        before_key not in (select person_key from identity_resolved)
    ),
    count(distinct after_key) filter (
        before_key is not null and after_key not in (
            select person_key from held where person_key is not null
        )
    ),
    count(*) filter (before_key is distinct from after_key)
from both_known
"""

# As dim_customer has it: the open account that was joined first leads.
_TIERS = f"""
with account as (
    select
        {links.identifier_key("'member'", "_sender", "member_number_token")} as identifier_key,
        tier, status, updated_at,
        min(coalesce(joined_at, updated_at)) over (
            partition by _sender, member_number_token
        ) as joined_at,
        _sender as sender, member_number_token
    from raw.member__member
    qualify row_number() over (
        partition by _sender, member_number_token order by updated_at desc, _content_hash desc
    ) = 1
),
person as (
    select 'before' as side, {assigning.HELD_KEY} as identifier_key, person_key
    from identity.person_identifier
    union all
    select 'after', identifier_key, person_key
    from identity_resolved
),
speaking as (
    select side, coalesce(tier, '') as tier
    from account
    inner join person using (identifier_key)
    where person_key is not null
    qualify row_number() over (
        partition by side, person_key
        order by status is not distinct from 'closed', joined_at, sender, member_number_token
    ) = 1
)
select tier, count(*) filter (side = 'before'), count(*) filter (side = 'after')
from speaking
group by tier
order by tier
"""
