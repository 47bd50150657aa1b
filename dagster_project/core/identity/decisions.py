"""What a steward decided: which pairs of identifiers are forced together or kept apart today.

Belongs here: the latest decision of each pair, as a temporary table. Does not: what follows from it
(``resolve``, ``parting``).
"""

from __future__ import annotations

import duckdb

from dagster_project.core.identity import links

# Identifier kind → the template's column after ``left_`` and ``right_``.
_COLUMNS = {
    "member": "member_number_token",
    "email": "email_token",
    "phone": "phone_token",
    "card": "card_number_token",
    "handle": "handle_token",
    "visitor": "visitor_id_token",
}

# A withdrawal in the same moment holds before what it withdraws, and apart before together.
_DECIDED = """
create or replace temp table identity_decision as
with delivered as (
    select {left_key} as left_end, {right_key} as right_end, decision, decision_id, decided_at
    from ({decisions}) as decisions
),
latest as (
    select
        least(left_end, right_end) as left_key,
        greatest(left_end, right_end) as right_key,
        decision, decision_id, decided_at
    from delivered
    where left_end is not null and right_end is not null and left_end != right_end
    qualify row_number() over (
        partition by least(left_end, right_end), greatest(left_end, right_end)
        order by decided_at desc, list_position(['withdraw', 'forbid', 'force'], decision),
            decision_id desc
    ) = 1
)
select left_key, right_key, decision, decision_id, decided_at
from latest
where decision != 'withdraw'
    and left_key in (select identifier_key from ({resolvable}))
    and right_key in (select identifier_key from ({resolvable}))
"""
# Identifiers that have a person: a hub has none, unless it is an account.
RESOLVABLE = "from identity_identifier where not is_hub or identifier_kind = 'member'"


def read_decisions(connection: duckdb.DuckDBPyConnection) -> None:
    """Fill ``identity_decision``: left_key < right_key, decision (force, forbid), id and time.

    Needs ``links.observe``. Decisions on identifiers that nobody has shown, or on hubs, wait.
    """
    columns = ", ".join(
        f"{side}_{column}"
        for side in ("left", "right")
        for column in ("sender", *_COLUMNS.values())
    )
    decisions = links.latest(
        "identity_decision__decision",
        "decided_at",
        f"_sender, decision_id, decision, decided_at, {columns}",
    )
    connection.execute(
        _DECIDED.format(
            left_key=_end("left"),
            right_key=_end("right"),
            decisions=decisions,
            resolvable=f"select identifier_key {RESOLVABLE}",
        )
    )


def _end(side: str) -> str:
    """SQL for the identifier of one side."""
    sender = f"coalesce({side}_sender, _sender)"
    keys = ", ".join(
        f"case when {side}_{column} is not null then "
        + links.identifier_key(
            f"'{kind}'",
            sender if kind in links.SENDER_KINDS else f"'{links.EVERYWHERE}'",
            f"{side}_{column}",
        )
        + " end"
        for kind, column in _COLUMNS.items()
    )
    return f"coalesce({keys})"
