"""The tables in which the warehouse keeps book of itself: schema ``ops``, and the vault's one.

Belongs here: their columns. Does not: writing a row; each table has one module that does.
"""

OPS_TABLES = """
create sequence if not exists ops.batch_sequence;
create table if not exists ops.batch (
    batch_id bigint primary key,
    feed varchar not null,
    committed_at timestamptz not null,
    file_count integer not null,
    loaded_count bigint not null
);
create table if not exists ops.file_ledger (
    file_id varchar not null,           -- SHA-256 of the delivered bytes
    content_id varchar,                 -- SHA-256 after decompression and newline, BOM removal
    feed varchar not null,
    original_name varchar not null,
    size_bytes bigint not null,
    arrived_at timestamptz not null,
    encoding varchar,
    template varchar,
    template_version integer,
    physical_count bigint not null,
    loaded_count bigint not null,
    rejected_count bigint not null,
    duplicate_count bigint not null,
    status varchar not null check (
        status in ('loaded', 'duplicate', 'quarantined', 'superseded', 'erased')
    ),
    reason varchar,
    batch_id bigint,
    first_business_at timestamptz,
    last_business_at timestamptz,
    check (status != 'loaded' or physical_count = loaded_count + rejected_count + duplicate_count)
);
create table if not exists ops.rejects (
    reject_key bigint not null,         -- of file, record and column: replay is idempotent
    feed varchar not null,
    file_id varchar not null,
    record_number bigint not null,
    first_line bigint not null,
    last_line bigint not null,
    byte_offset bigint,
    record varchar not null,            -- the template's record the row was meant for
    column_name varchar,
    error_code varchar not null,
    message varchar not null,           -- never holds the value
    raw_record varchar,                 -- card numbers masked, personal values left out
    batch_id bigint not null,
    replayed_batch_id bigint,
    disposition varchar default 'record'  -- value: its record is loaded without it
);
alter table ops.rejects add column if not exists disposition varchar default 'record';
create table if not exists ops.file_drift (
    feed varchar not null,
    file_id varchar not null,
    kind varchar not null,              -- new_column, missing_column
    column_name varchar not null
);
create table if not exists ops.feed_finding (
    feed varchar not null,
    kind varchar not null,
    subject varchar not null,           -- the till, file or column it is about; else empty
    message varchar not null,
    first_seen_at timestamptz not null,
    last_seen_at timestamptz not null,
    resolved_at timestamptz,            -- when it no longer held
    primary key (feed, kind, subject)
);
create table if not exists ops.raw_conflict (
    raw_table varchar not null,         -- <template>__<record>
    record_key bigint not null          -- delivered with more than one content
);
create table if not exists ops.alarm (
    raised_at timestamptz not null,
    subject varchar not null,
    severity varchar not null,
    message varchar not null
);
create table if not exists ops.build_state (
    build varchar not null,             -- what was built: models, forecast, publication, …
    built_batch_id bigint not null,     -- every batch up to this one is in it
    fingerprint varchar not null,       -- of the code and declarations that built it
    built_at timestamptz not null
);
create table if not exists ops.source_state (
    source varchar not null,            -- of the models, as dbt names it
    schema_name varchar not null,
    table_name varchar not null,
    summary varchar not null            -- of its rows when the models were last complete
);
create table if not exists ops.built_table (
    table_name varchar primary key,     -- a model's: no two schemas share one
    built_at timestamptz not null       -- by the last complete build that made it
);
create table if not exists ops.suite_state (
    schema_name varchar not null,
    table_name varchar not null,
    state varchar not null,             -- of suite and tables when the suite was judged
    primary key (schema_name, table_name)
);
create table if not exists ops.check_result (
    run_id varchar not null,
    checked_at timestamptz not null,
    schema_name varchar not null,
    table_name varchar not null,
    check_name varchar not null,
    kind varchar not null,              -- expectation, dbt_test, reconciliation
    severity varchar not null,
    is_blocking boolean not null,
    has_passed boolean not null,
    failed_count bigint not null,
    why varchar
);
alter table ops.check_result add column if not exists row_count bigint;   -- of the table
alter table ops.check_result add column if not exists statement varchar;  -- the check in words
alter table ops.check_result add column if not exists error varchar;      -- why it was not judged
create table if not exists ops.anomaly (
    anomaly_id varchar primary key,     -- of table, store, first day, kind and measure
    run_id varchar not null,            -- that found it first
    found_at timestamptz not null,
    resolved_at timestamptz,            -- when later data no longer showed it
    table_name varchar not null,        -- <schema>.<table>
    store varchar,                      -- its durable key; null: all stores
    store_name varchar,
    business_date date not null,
    last_business_date date not null,
    kind varchar not null,              -- silent, late, repeated, count, amount, share
    measure varchar not null,
    found double,
    expected double,
    low double,
    high double,
    severity varchar not null,          -- severe, mild
    sentence varchar not null,
    also varchar[] not null             -- measures in which the same cause shows
);
create table if not exists ops.store_day (
    store_durable_key bigint not null,
    store_name varchar,
    business_date date not null,
    grade varchar not null,             -- A to F
    complete_points integer not null,   -- 0 nothing found, 1 little, 2 much, 5 no rows at all
    timely_points integer not null,
    balanced_points integer not null,
    plausible_points integer not null,
    reason varchar,                     -- null for an A
    feed varchar,                       -- whose owner is to be phoned
    receipt_count bigint not null,
    primary key (store_durable_key, business_date)
);
create table if not exists vault.personal_value (
    domain varchar not null,
    token varchar not null,
    value varchar not null,             -- in the clear: this schema never leaves the private file
    batch_id bigint not null
);
"""
