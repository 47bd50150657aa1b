"""Which identifiers were seen together: the raw material of identity, read from ``raw`` in SQL.

Belongs here: observations, identifiers, links, hubs, as temporary tables of the connection. Does
not: deciding who is a person (``resolve``), or anything a clear value is needed for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb

# The order is the anchor's: an account says more about a person than a cookie does.
KINDS = ("member", "email", "phone", "card", "handle", "visitor")
# Their tokens mean something only together with the sender; the others are the same everywhere.
SENDER_KINDS = frozenset({"member", "handle", "visitor"})
EVERYWHERE = "*"

# An identifier linked to more of these than one household can have is a hub (a shop's own phone, a
# till's house card) and links nobody. Cookies and handles are not counted: browsers make new ones.
HUB_LIMITS = {"member": 5, "email": 10, "phone": 10, "card": 20}
# Evidence in the order of its strength; a probable pair and a steward's decision are links too.
RULES = (
    "steward", "member_record", "web_order", "log_in", "till_card", "contact", "post", "probable",
)  # fmt: skip
RULES_VERSION = 2  # part of the fingerprint: a change resolves everything again

# Raw table → field that says which content of one natural key holds (as in the template), and the
# columns that are read.
_VERSIONED = {
    "web_order__order": (
        "updated_at",
        "_sender, order_id, member_number_token, email_token, phone_token, visitor_id_token",
    ),
    "web_order__payment": ("updated_at", "_sender, order_id, card_number_token"),
    "pos_standard__receipt": ("sent_at", "_sender, receipt_id, receipt_type, member_number_token"),
    "pos_standard__tender": ("sent_at", "_sender, receipt_id, card_number_token"),
    "service_case__case": ("updated_at", "_sender, member_number_token, email_token, phone_token"),
    "survey_response__answer": (
        "updated_at", "_sender, member_number_token, email_token, phone_token",
    ),
    "web_session__session": ("updated_at", "_sender, member_number_token, visitor_id_token"),
    "prepaid_entry__entry": ("sent_at", "_sender, member_number_token"),
}  # fmt: skip
SOURCE_TABLES = (
    "member__member",
    "web_order__order",
    "web_order__payment",
    "pos_standard__receipt",
    "pos_standard__tender",
    "web_event__event",
    "post__post",
    "points_entry__entry",
    "consent__change",
    "coupon__target",
    "coupon__redemption",
    "service_case__case",
    "survey_response__answer",
    "web_session__session",
    "prepaid_entry__entry",
    "identity_decision__decision",
)

# One row per distinct set of identifiers that one record shows together. A receipt paid with two
# cards does not say which of them is the member's, so it links none.
_OBSERVATION = """
create or replace temp table identity_observation as
with order_card as (
    select _sender, order_id, max(card_number_token) as card
    from ({web_order__payment})
    where card_number_token is not null
    group by _sender, order_id
    having min(card_number_token) = max(card_number_token)
),
receipt_card as (
    select _sender, receipt_id, max(card_number_token) as card
    from ({pos_standard__tender})
    where card_number_token is not null
    group by _sender, receipt_id
    having min(card_number_token) = max(card_number_token)
),
observation as (
    select
        'member_record' as rule,
        _sender as sender,
        member_number_token as member,
        email_token as email,
        phone_token as phone,
        card_number_token as card,
        null::varchar as handle,
        null::varchar as visitor,
    from raw.member__member
    union
    select
        'web_order', _sender, member_number_token, email_token, phone_token, card, null,
        visitor_id_token,
    from ({web_order__order}) as orders
    left join order_card using (_sender, order_id)
    union
    select 'till_card', _sender, member_number_token, null, null, card, null, null
    from ({pos_standard__receipt}) as receipts
    left join receipt_card using (_sender, receipt_id)
    where receipt_type in ('sale', 'return')
    union
    select 'log_in', _sender, member_number_token, null, null, null, null, visitor_id_token
    from raw.web_event__event
    union
    select 'log_in', _sender, member_number_token, null, null, null, null, visitor_id_token
    from ({web_session__session}) as sessions
    union
    select 'contact', _sender, member_number_token, email_token, phone_token, null, null, null
    from ({service_case__case}) as cases
    union
    select 'contact', _sender, member_number_token, email_token, phone_token, null, null, null
    from ({survey_response__answer}) as answers
    union
    select 'account_use', _sender, member_number_token, null, null, null, null, null
    from ({prepaid_entry__entry}) as entries
    union
    select 'post', _sender, null, email_token, null, null, author_handle_token, null
    from raw.post__post
    union
    select 'account_use', _sender, member_number_token, null, null, null, null, null
    from raw.points_entry__entry
    union
    select 'account_use', _sender, member_number_token, null, null, null, null, null
    from raw.consent__change
    union
    select 'account_use', _sender, member_number_token, null, null, null, null, null
    from raw.coupon__target
    union
    select 'account_use', _sender, member_number_token, null, null, null, null, null
    from raw.coupon__redemption
)
select rule, sender, member, email, phone, card, handle, visitor, {keys}
from observation
"""


@dataclass(frozen=True)
class Observed:
    """Sizes of what ``observe`` left in the connection's temporary tables."""

    identifier_count: int
    link_count: int
    hub_count: int


def observe(
    connection: duckdb.DuckDBPyConnection, hub_limits: Mapping[str, int] | None = None
) -> Observed:
    """Fill ``identity_identifier`` and ``identity_link``, temporary tables of the connection.

    ``identity_identifier``: one row per identifier (identifier_key, identifier_kind, sender,
    identifier_token, is_hub). ``identity_link``: one row per pair of identifiers seen together
    (left_key, right_key, rule, probability 1), hubs' links left out.
    """
    holding = {table: latest(table, *how) for table, how in _VERSIONED.items()}
    keys = ", ".join(f"{key_of(kind)} as {kind}_key" for kind in KINDS)
    connection.execute(_OBSERVATION.format(keys=keys, **holding))
    connection.execute(_identifiers())
    connection.execute(_links())
    connection.execute(_HUBS.format(limits=_limits(hub_limits or HUB_LIMITS)))
    connection.execute(_MARK_HUBS)
    connection.execute(_DROP_HUB_LINKS)
    counts = connection.execute(
        "select (select count(*) from identity_identifier), (select count(*) from identity_link), "
        "(select count(*) from identity_identifier where is_hub)"
    ).fetchone()
    connection.execute("drop table identity_observation")
    return Observed(*counts)


def identifier_key(kind: str, sender: str, token: str) -> str:
    """SQL for an identifier's 63-bit key from three SQL expressions; the project's md5 formula."""
    return f"(md5_number_lower(concat_ws(chr(31), {kind}, {sender}, {token})) >> 1)::bigint"


def key_of(kind: str) -> str:
    """SQL for the key of the identifier in the columns ``sender`` and the kind's own."""
    sender = "sender" if kind in SENDER_KINDS else f"'{EVERYWHERE}'"
    return f"case when {kind} is not null then {identifier_key(repr(kind), sender, kind)} end"


def latest(table: str, version_by: str, columns: str) -> str:
    """SQL for a raw table's rows; of a key with several contents only the one that holds."""
    conflicts = f"select record_key from ops.raw_conflict where raw_table = '{table}'"
    return f"""
        select {columns} from raw.{table} where _record_key not in ({conflicts})
        union all
        select {columns} from raw.{table} where _record_key in ({conflicts})
        qualify row_number() over (
            partition by _record_key order by {version_by} desc nulls last, _content_hash desc
        ) = 1
    """


def _identifiers() -> str:
    selects = " union ".join(
        f"select {kind}_key as identifier_key, '{kind}' as identifier_kind, "
        + ("sender" if kind in SENDER_KINDS else f"'{EVERYWHERE}' as sender")
        + f", {kind} as identifier_token from identity_observation where {kind} is not null"
        for kind in KINDS
    )
    return (
        "create or replace temp table identity_identifier as "
        f"select identifier_key, identifier_kind, sender, identifier_token, false as is_hub "
        f"from ({selects})"
    )


def _links() -> str:
    """Every pair of kinds: with one kind in the middle, a dropped hub would part the others."""
    selects = " union ".join(
        f"select {left}_key as left_key, {right}_key as right_key, '{left}' as left_kind, "
        f"'{right}' as right_kind, rule, 1.0::double as probability from identity_observation "
        f"where {left} is not null and {right} is not null"
        for position, left in enumerate(KINDS)
        for right in KINDS[position + 1 :]
    )
    return f"create or replace temp table identity_link as {selects}"


def _limits(hub_limits: Mapping[str, int]) -> str:
    return ", ".join(f"('{kind}', {int(limit)})" for kind, limit in hub_limits.items())


_HUBS = """
create or replace temp table identity_hub as
with neighbour as (
    select left_key as identifier_key, right_kind as neighbour_kind, right_key as neighbour_key
    from identity_link
    union all
    select right_key, left_kind, left_key
    from identity_link
),
limits as (
    from (values {limits}) as limits (neighbour_kind, most)
),
suspect as (
    select identifier_key, neighbour_kind
    from neighbour
    inner join limits using (neighbour_kind)
    group by identifier_key, neighbour_kind, most
    having count(*) > most
)
select distinct identifier_key
from neighbour
semi join suspect using (identifier_key, neighbour_kind)
inner join limits using (neighbour_kind)
group by identifier_key, neighbour_kind, most
having count(distinct neighbour_key) > most
"""

_MARK_HUBS = """
update identity_identifier
set is_hub = true
where identifier_key in (select identifier_key from identity_hub)
"""

_DROP_HUB_LINKS = """
delete from identity_link
where left_key in (select identifier_key from identity_hub)
    or right_key in (select identifier_key from identity_hub)
"""
