"""What is known of each account and guest, in one spelling: the records that are matched.

Belongs here: reading tokens from ``raw`` into temporary tables; which probable pairs were found
before. Does not: what the tokens stand for (``spelling``), scoring (``matching``).
"""

from __future__ import annotations

import duckdb

from dagster_project.core.identity import links, matching, spelling

MATCH_TABLES = f"""
create table if not exists identity.match_record (
    record_key bigint not null,         -- the identifier that stands for the record
    content_hash ubigint not null       -- of all it was compared by
);
create table if not exists identity.match_pair (
    left_key bigint not null,
    right_key bigint not null,          -- identifiers; left_key < right_key
    probability double not null,        -- 0-1 that both are one person's
    outcomes varchar not null           -- of each comparison, with its bits; no value
);
{spelling.SPELLING_TABLES}
"""
BUILD = "identity_matching"

# The latest data of each account; of guests those of the latest order by their contact.
_SHOWN = """
create or replace temp table identity_shown as
with member as (
    select
        _sender as sender, member_number_token as member, name_token, address_token,
        postcode_token, city, birth_date_decade as decade, email_token as email,
        phone_token as phone
    from raw.member__member
    qualify row_number() over (
        partition by _sender, member_number_token order by updated_at desc, _content_hash desc
    ) = 1
),
guest as (
    select
        email_token as email, phone_token as phone, recipient_name_token as name_token,
        address_token, city
    from raw.web_order__order
    where member_number_token is null and recipient_name_token is not null
        and coalesce(email_token, phone_token) is not null
    qualify row_number() over (
        partition by coalesce(email_token, phone_token)
        order by ordered_at desc, order_id desc, _content_hash desc
    ) = 1
),
shown as (
    select {member} as record_key, * exclude (sender, member) from member
    union all by name
    select coalesce({email}, {phone}) as record_key, * from guest
),
hub as (
    select identifier_kind, identifier_token
    from identity_identifier
    where is_hub and identifier_kind in ('email', 'phone')
),
told as (
    select
        record_key, name_token, address_token, postcode_token, city,
        cast(decade as varchar) as decade,
        case when email not in (select identifier_token from hub where identifier_kind = 'email')
            then email end as email_token,
        case when phone not in (select identifier_token from hub where identifier_kind = 'phone')
            then phone end as phone_token
    from shown
    where name_token is not null
        and record_key not in (select identifier_key from identity_identifier where is_hub)
)
select
    *,
    hash(name_token, address_token, postcode_token, city, decade, email_token, phone_token)
        as shown_hash
from told
"""


def find_probable(connection: duckdb.DuckDBPyConnection, model: matching.Model) -> None:
    """Fill ``identity_probable``: left_key, right_key, probability, outcomes.

    Needs ``links.observe``. Only records that are new or other than they were are compared, with
    all others; what was found between the rest is kept, which is the same as comparing everything.
    """
    keys = {kind: links.key_of(kind) for kind in ("member", "email", "phone")}
    connection.execute(_SHOWN.format(**keys))
    spelling.spell(connection)
    known = "identity.match_record" if _is_of(connection, model) else None
    matching.match_records(connection, model, "identity_record", known=known)
    kept = "" if known is None else _KEPT
    connection.execute(
        "create or replace temp table identity_probable as "
        f"select left_key, right_key, probability, outcomes from identity_scored {kept}"
    )
    for table in ("shown", "record", "scored"):
        connection.execute(f"drop table temp.identity_{table}")


_KEPT = """
union all
select left_key, right_key, probability, outcomes
from identity.match_pair
semi join (select record_key as left_key from identity_content where not is_new) using (left_key)
semi join (select record_key as right_key from identity_content where not is_new) using (right_key)
"""


def keep_probable(connection: duckdb.DuckDBPyConnection, model: matching.Model | None) -> None:
    """Write what ``find_probable`` found, differences only; without a model nothing is kept."""
    if model is None:
        for table in ("match_record", "match_pair"):
            connection.execute(f"delete from identity.{table}")
        spelling.forget(connection)
    else:
        spelling.keep(connection)
        for table, found in (
            ("match_record", "(select record_key, content_hash from identity_content)"),
            ("match_pair", "identity_probable"),
        ):
            connection.execute(
                f"delete from identity.{table} where ({table}) not in (select f from {found} as f)"
            )
            connection.execute(
                f"insert into identity.{table} from {found} except from identity.{table}"
            )
    connection.execute("delete from ops.build_state where build = $build", {"build": BUILD})
    connection.execute(
        "insert into ops.build_state values ($build, 0, $fingerprint, now())",
        {"build": BUILD, "fingerprint": fingerprint(model)},
    )


def fingerprint(model: matching.Model | None) -> str:
    """What a pair's probability depends on besides its two records."""
    return "off" if model is None else f"{spelling.VERSION} {model.fingerprint}"


def _is_of(connection: duckdb.DuckDBPyConnection, model: matching.Model) -> bool:
    held = connection.execute(
        "select fingerprint from ops.build_state where build = $build", {"build": BUILD}
    ).fetchone()
    return held is not None and held[0] == fingerprint(model)
