"""A small encrypted warehouse of sound rows, and ways to spoil it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dagster_project.core import home as paths
from dagster_project.core.declarations import load_templates
from dagster_project.core.home import Home
from dagster_project.core.keys import MasterKey
from dagster_project.core.quality import CheckResult
from dagster_project.core.warehouse import Warehouse

KEY = MasterKey(bytes.fromhex("c0ffee00" * 8))
SYSTEM = """
    i as _record_key, i * 7 as _content_hash, 'lantern' as _sender, 'feed' as _feed,
    'file' as _file_id, i as _record_number, 1 as _batch_id
"""
# 20 receipts a day, a minute apart, over 30 days, two lines and one tender each: 2 × 3.00 and
# 1 × 4.00 less 0.50, tax 10 % of 9.50 = 0.95, so 10.45 is owed and paid.
ROWS = (
    f"""
    insert into raw.store__store by name
    select 'S1' as store_code, timestamptz '2016-01-01 00:00:00+00' as effective_at,
        'Lantern' as banner, 'shop' as store_type, 'GB' as country_code,
        'Europe/London' as time_zone, 'GBP' as currency_code, 4 as cut_off_hour, {SYSTEM}
    from range(1) as t(i)
    """,
    f"""
    insert into raw.pos_standard__receipt by name
    select 'R' || i as receipt_id, 'sale' as receipt_type, 'S1' as store_code,
        '{KEY.token("member", "m1")}' as member_number_token,
        timestamptz '2017-03-01 09:00:00+00' + to_days(cast(i // 20 as integer))
            + to_minutes(cast(i % 20 as integer)) as sold_at,
        'GBP' as currency_code, 2 as line_count, 10.45 as total_amount,
        40 + i % 20 as duration_seconds,
        {SYSTEM}
    from range(600) as t(i)
    """,
    f"""
    insert into raw.pos_standard__line by name
    select 'R' || (i // 2) as receipt_id, i % 2 as line_number, 'sale' as line_type,
        'P' || (i % 2) as product_code, 2 - i % 2 as quantity, 3 + i % 2 as unit_price,
        if(i % 2 = 0, 6, 4) as list_amount, (i % 2) * 0.5 as discount_amount,
        if(i % 2 = 0, 0.6, 0.35) as tax_amount,
        timestamptz '2017-03-01 09:00:00+00' + to_days(cast(i // 40 as integer))
            + to_minutes(cast(i // 2 % 20 as integer)) as sold_at,
        {SYSTEM}
    from range(1200) as t(i)
    """,
    f"""
    insert into raw.pos_standard__tender by name
    select 'R' || i as receipt_id, 1 as tender_number, 'card_chip' as tender_type_code,
        10.45 as amount, 'GBP' as currency_code, '{KEY.token("card", "4")}' as card_number_token,
        '411111******1111' as card_number_masked,
        timestamptz '2017-03-01 09:00:00+00' + to_days(cast(i // 20 as integer))
            + to_minutes(cast(i % 20 as integer)) as sold_at,
        {SYSTEM}
    from range(600) as t(i)
    """,
)


def build(root: Path) -> Warehouse:
    warehouse = Warehouse(Home(root), KEY)
    warehouse.create()
    with warehouse.connect() as connection:
        for template in load_templates(paths.TEMPLATES).values():
            for statement in template.ddl():
                connection.execute(statement)
        for statement in ROWS:
            connection.execute(statement)
    return warehouse


def failed(results: list[CheckResult]) -> set[str]:
    return {f"{r.table_name}.{r.check_name}" for r in results if not r.has_passed}


@contextmanager
def corrupted(warehouse: Warehouse, statement: str) -> Iterator[None]:
    """The warehouse after one statement, and as it was again afterwards."""
    table = next(word for word in statement.split() if word.startswith(("raw.", "core.")))
    with warehouse.connect() as connection:
        connection.execute(f"create table ops.kept as select * from {table}")
        connection.execute(statement)
    try:
        yield
    finally:
        with warehouse.connect() as connection:
            connection.execute(f"delete from {table}")
            connection.execute(f"insert into {table} select * from ops.kept")
            connection.execute("drop table ops.kept")
