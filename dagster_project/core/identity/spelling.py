"""The vault's values of each record in one spelling, kept there from one resolution to the next.

Belongs here: which records must be spelled again, spelling them, keeping it in the vault. Does not:
which tokens a record shows (``records``), what one spelling is (``normalise``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path

import duckdb

from dagster_project.core.identity import matching, normalise

# In the clear, so in the vault: gone with the value at the next resolution.
SPELLING_TABLES = """
create table if not exists vault.match_spelling (
    record_key bigint not null,         -- the identifier that stands for the record
    given varchar, family varchar, given_sound varchar, family_sound varchar, birth varchar,
    decade varchar, city varchar, postcode varchar, street varchar, email varchar, phone varchar,
    number varchar,
    shown_hash ubigint not null         -- of the tokens and values that the record showed
);
"""
BUILD = "identity_spelling"
VERSION = 1  # of ``normalise``: a change matches everything again
TABLES = ("unspelled", "respelled", "unchanged", "late", "vault_state")

_DOMAINS = {
    "name_token": "person_name", "address_token": "address", "postcode_token": "postcode",
    "email_token": "email", "phone_token": "phone",
}  # fmt: skip
_FIELDS = ", ".join(matching.FIELDS)

_VAULT_STATE = f"""
create or replace temp table identity_vault_state as
select
    coalesce(max(batch_id), 0) as batch_id,
    count(*) || ' ' || coalesce(sum(summary), 0) as whole,
    count(*) filter (batch_id <= $batch_id) || ' '
        || coalesce(sum(summary) filter (batch_id <= $batch_id), 0) as as_before
from (
    select batch_id, hash(domain, token, value) as summary
    from vault.personal_value
    where domain in {tuple(_DOMAINS.values())}
)
"""

# Values that the vault has got since; the same value told again changes nothing.
_LATE = f"""
create or replace temp table identity_late as
select distinct domain, token
from vault.personal_value as late
anti join (
    select domain, token, value
    from vault.personal_value
    where batch_id <= $batch_id
) as before using (domain, token, value)
where batch_id > $batch_id and domain in {tuple(_DOMAINS.values())}
"""

# Records that show the same tokens, of which none has got a value meanwhile.
_UNCHANGED = f"""
create or replace temp table identity_unchanged as
select identity_shown.record_key
from identity_shown
semi join vault.match_spelling as kept
    on kept.record_key = identity_shown.record_key
    and kept.shown_hash = identity_shown.shown_hash
anti join (
    {
    " union ".join(
        f"select record_key from identity_shown semi join identity_late as late "
        f"on late.token = {column} and late.domain = '{domain}'"
        for column, domain in _DOMAINS.items()
    )
}
) as valued on valued.record_key = identity_shown.record_key
"""

_NONE_UNCHANGED = """
create or replace temp table identity_unchanged as
select record_key from identity_shown limit 0
"""

_UNSPELLED = """
create or replace temp table identity_unspelled as
select *
from identity_shown anti join identity_unchanged using (record_key)
"""

# Contacts in the vault are in the token's spelling already; only tags that it keeps are left out.
_RECORD = """
create or replace temp table identity_respelled as
with contact as (
    select distinct domain, token, value
    from vault.personal_value
    where domain in ('email', 'phone')
)
select
    shown.record_key, name.given, name.family, name.given_sound, name.family_sound,
    null::varchar as birth, shown.decade, town.plain as city, postcode.plain as postcode,
    street.plain as street,
    split_part(split_part(email.value, '@', 1), '+', 1) || '@' || split_part(email.value, '@', 2)
        as email,
    phone.value as phone,
    null::varchar as number,
    shown.shown_hash
from identity_unspelled as shown
left join identity_name as name on name.text = shown.name_token
left join identity_street as street on street.text = shown.address_token
left join identity_postcode as postcode on postcode.text = shown.postcode_token
left join identity_town as town on town.text = shown.city
left join contact as email on email.domain = 'email' and email.token = shown.email_token
left join contact as phone on phone.domain = 'phone' and phone.token = shown.phone_token
"""

_ALL = f"""
create or replace temp table identity_record as
select record_key, {_FIELDS}
from identity_respelled
where family is not null
union all
select record_key, {_FIELDS}
from vault.match_spelling semi join identity_unchanged using (record_key)
where family is not null
"""


def spell(connection: duckdb.DuckDBPyConnection) -> None:
    """Fill ``identity_record``: record_key and ``matching.FIELDS``, each text or null.

    Needs ``identity_shown``. Only records that show other tokens than they did, or a token that
    has got its value since, are spelled; all are where a value of before is not what it was.
    Nothing that stays is written.
    """
    batch_id, fingerprint = connection.execute(
        "select built_batch_id, fingerprint from ops.build_state where build = $build",
        {"build": BUILD},
    ).fetchone() or (0, "")
    connection.execute(_VAULT_STATE, {"batch_id": batch_id})
    (as_before,) = connection.execute("select as_before from identity_vault_state").fetchone()
    if fingerprint == _fingerprint(as_before):
        connection.execute(_LATE, {"batch_id": batch_id})
        connection.execute(_UNCHANGED)
    else:
        connection.execute(_NONE_UNCHANGED)
    connection.execute(_UNSPELLED)
    _spell(connection)
    connection.execute(_ALL)


def keep(connection: duckdb.DuckDBPyConnection) -> None:
    """Write to the vault what ``spell`` found, differences only."""
    connection.execute(
        "delete from vault.match_spelling "
        "where record_key not in (select record_key from identity_unchanged)"
    )
    connection.execute("insert into vault.match_spelling by name from identity_respelled")
    batch_id, whole = connection.execute(
        "select batch_id, whole from identity_vault_state"
    ).fetchone()
    connection.execute("delete from ops.build_state where build = $build", {"build": BUILD})
    connection.execute(
        "insert into ops.build_state values ($build, $batch_id, $fingerprint, now())",
        {"build": BUILD, "batch_id": batch_id, "fingerprint": _fingerprint(whole)},
    )


def forget(connection: duckdb.DuckDBPyConnection) -> None:
    """Delete every spelling."""
    connection.execute("delete from vault.match_spelling")
    connection.execute("delete from ops.build_state where build = $build", {"build": BUILD})


def _fingerprint(vault_state: str) -> str:
    """What a spelling depends on besides the tokens shown."""
    rules = Path(normalise.__file__).read_bytes() + normalise.READINGS.read_bytes()
    return f"{VERSION} {sha256(rules).hexdigest()[:16]} {duckdb.__version__} {vault_state}"


def _spell(connection: duckdb.DuckDBPyConnection) -> None:
    """Fill ``identity_respelled`` from the vault."""
    vault = (
        "select distinct v.token, v.value from vault.personal_value as v "
        "where v.domain = '{domain}' and v.token in (select {column} from identity_unspelled)"
    )
    plain = ("plain",)
    _spelled(connection, "name", vault.format(domain="person_name", column="name_token"),
             ("given", "family", "given_sound", "family_sound"), _name)  # fmt: skip
    _spelled(connection, "street", vault.format(domain="address", column="address_token"),
             plain, lambda value: (normalise.words_of(value),))  # fmt: skip
    _spelled(connection, "postcode", vault.format(domain="postcode", column="postcode_token"),
             plain, lambda value: (normalise.digits_of(value),))  # fmt: skip
    _spelled(connection, "town",
             "select distinct city, city from identity_unspelled where city != ''",
             plain, lambda value: (normalise.fold(value),))  # fmt: skip
    connection.execute(_RECORD)
    for table in ("name", "street", "postcode", "town"):
        connection.execute(f"drop table temp.identity_{table}")


def _name(value: str) -> tuple[str | None, ...]:
    given, family = normalise.split_name(value)
    return given, family, normalise.sound(given), normalise.sound(family)


def _spelled(
    connection: duckdb.DuckDBPyConnection,
    what: str,
    texts: str,
    columns: Sequence[str],
    spell: Callable[[str], tuple[str | None, ...]],
) -> None:
    """A temporary table ``identity_<what>``: the text or its token, and how it is spelled here."""
    import pyarrow as pa

    rows = connection.execute(texts).fetchall()
    spelled = (
        zip(*(spell(value) for _, value in rows), strict=True) if rows else [()] * len(columns)
    )
    frame = pa.table(
        {"text": pa.array([text for text, _ in rows], pa.string())}
        | {
            name: pa.array(values, pa.string())
            for name, values in zip(columns, spelled, strict=True)
        }
    )
    connection.register("identity_spelled", frame)
    connection.execute(f"create or replace temp table identity_{what} as from identity_spelled")
    connection.unregister("identity_spelled")
