"""What a partner gets: consented adults only, nobody alone, signed, and not to be joined."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from dagster_project.core.audit_log import verify as verify_audit
from dagster_project.core.home import Home
from dagster_project.core.keys import load_master_key
from dagster_project.core.sharing import SharingError, load_partners, share, verify
from dagster_project.core.sharing.anonymity import EXACT, SENSITIVE
from dagster_project.core.warehouse import Warehouse

TODAY = date(2026, 11, 20)
TERMS = {
    "recipient": "Market Research Ltd",
    "purpose": "which departments whom attract",
    "region": "GB",
    "customers_of": ["GB", "CN"],
    "cross_border_basis": "standard contract of 2026-01-01",
    "expires_on": "2027-01-31",
}
TARGETS = 1_000
# Cities, tiers and years as skewed as they are: some combinations are one person's alone.
MARTS = """
create table customer.customer_360 as
select
    i::bigint as customer_durable_key,
    case when h[1] < 45 then 'GB' when h[1] < 90 then 'CN' else 'IR' end as country_code,
    'City ' || (h[2] * h[3] // 900) as city,
    (1930 + 10 * (h[4] % 9))::integer as birth_decade,
    case when h[5] < 45 then 'female' when h[5] < 90 then 'male' else 'undisclosed' end as gender,
    case when h[6] < 70 then 'basic' when h[6] < 95 then 'silver' else 'gold' end as loyalty_tier,
    make_date(2014 + h[7] % 5, 1, 1) as member_since_date,
    ['low', 'mid', 'high'][1 + h[8] % 3] as value_tier,
    'Department ' || h[9] % 12 as favourite_department,
    date '2018-06-30' as as_of_date,
    h[10] < 60 as has_sharing_consent,
from (select i, [(hash(i, n) % 100)::integer for n in range(10)] as h from range(8000) t(i));
-- Of ten consents one has run out since the customers were summed up.
create table intermediate.int_customer__consents_standing as
select
    customer_durable_key as person_key, 'sharing' as purpose,
    has_sharing_consent and customer_durable_key % 10 != 0 as is_granted,
from customer.customer_360;
create table core.dim_product as
select i::bigint as product_key, 'Department ' || i % 12 as department from range(100) t(i);
create table core.fct_sales_line as
select
    i::bigint as sales_line_key, (i // 2)::bigint as transaction_key,
    (hash(i, 1) % 100)::bigint as product_key,
    (hash(i // 2, 2) % 8000)::bigint as customer_durable_key,
    date '2018-01-01' + (hash(i // 2, 3) % 180)::integer as business_date, 'sale' as line_type,
    3.5::decimal(18, 4) as net_amount_reporting,
from range(9000) t(i);
"""


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    home = Home(tmp_path_factory.mktemp("home"))
    built = Warehouse(home, load_master_key(home, {}))
    built.create()
    with built.connect() as connection:
        connection.execute(MARTS)
    write_policy(home, research=TERMS, other=TERMS)
    return built


def write_policy(home: Home, **partners: Any) -> None:
    (home.root / "audiences.yaml").write_text(yaml.safe_dump(partners), "utf-8")


@pytest.fixture(scope="module")
def release(warehouse: Warehouse) -> Any:
    return share(warehouse, "research", TODAY)


def rows(path: Path, sql: str) -> list[tuple[Any, ...]]:
    return duckdb.sql(sql.format(t=f"'{path}'")).fetchall()


def test_every_group_is_large_and_diverse_enough_when_measured_anew(release: Any) -> None:
    told = rows(
        release.path / "customers.parquet", f"select {', '.join((*EXACT, *SENSITIVE))} from {{t}}"
    )
    assert min(Counter(told).values()) == release.anonymity.smallest_group >= 11
    groups: dict[Any, list[Any]] = {}
    for row in told:
        groups.setdefault(row[: len(EXACT)], []).append(row[len(EXACT) :])
    told_of_groups = [
        set(values)
        for members in groups.values()
        for values in zip(*members, strict=True)
        if set(values) != {None}
    ]
    assert min(map(len, told_of_groups)) == release.anonymity.fewest_values >= 2
    assert len(told) == release.anonymity.released_count
    assert len(groups) > 5  # or nothing would be told at all
    assert release.anonymity.suppressed_count < 0.05 * release.anonymity.person_count


def test_what_is_told_is_true_and_as_much_as_may_be(warehouse: Warehouse, release: Any) -> None:
    with warehouse.connect(read_only=True) as connection:
        known = {
            warehouse.key.token(f"share/research/{release.release}", str(key)): row
            for key, *row in connection.execute(
                "select customer_durable_key, country_code, city, birth_decade, gender, "
                f"loyalty_tier, year(member_since_date), {', '.join(SENSITIVE)} "
                "from customer.customer_360"
            ).fetchall()
        }
    path = release.path / "customers.parquet"
    told = rows(path, f"select token, {', '.join(EXACT)}, {', '.join(SENSITIVE)} from {{t}}")
    for token, *row in told:
        target = known[token]
        assert _fits(row[:7], tuple(target[:6]))
        assert all(said in (None, own) for said, own in zip(row[7:], target[6:], strict=True))
    counts = {
        name: sum(row[-len(SENSITIVE) + n] is not None for row in told)
        for n, name in enumerate(SENSITIVE)
    }
    assert counts == release.anonymity.told_counts
    assert min(counts.values()) > 0.9 * len(told)


@pytest.mark.parametrize("sensitive", [(), SENSITIVE[:1], SENSITIVE[1:], SENSITIVE], ids=" ".join)
def test_linking_a_thousand_known_persons_names_nobody(
    warehouse: Warehouse, release: Any, sensitive: tuple[str, ...]
) -> None:
    """The attacker knows all other attributes, some of the sensitive ones, and who may be in it."""
    also = "".join(f", {name}" for name in sensitive)
    with warehouse.connect(read_only=True) as connection:
        known = connection.execute(
            "select customer_durable_key, country_code, city, birth_decade, gender, loyalty_tier, "
            f"year(member_since_date){also} from customer.customer_360 "
            f"order by hash(customer_durable_key) limit {TARGETS}"
        ).fetchall()
    told = rows(
        release.path / "customers.parquet", f"select token, {', '.join(EXACT)}{also} from {{t}}"
    )
    tokens = {
        key: warehouse.key.token(f"share/research/{release.release}", str(key)) for key, *_ in known
    }
    alike: dict[tuple[Any, ...], list[str]] = {}
    for token, *row in told:
        alike.setdefault(tuple(row), []).append(token)
    fitting = {
        key: [
            token
            for row, of_row in alike.items()
            if _fits(row[:7], tuple(target[:6]))
            and all(said in (None, own) for said, own in zip(row[7:], target[6:], strict=True))
            for token in of_row
        ]
        for key, *target in known
    }
    in_it = [key for key in fitting if tokens[key] in fitting[key]]
    assert len(in_it) > 0.2 * TARGETS  # targets were there to be found
    assert min(len(fitting[key]) for key in in_it) >= 11
    # Where a single row fits, it is somebody else: the attacker would be wrong.
    claimed = [key for key, tokens_of in fitting.items() if len(tokens_of) == 1]
    assert not set(claimed) & set(in_it)


def _fits(row: Sequence[Any], target: tuple[Any, ...]) -> bool:
    country, city, born_from, born_until, gender, tier, year = row
    decade = target[2]
    exact = ((country, target[0]), (city, target[1]), (gender, target[3]), (tier, target[4]))
    return all(told in (None, own) for told, own in (*exact, (year, target[5]))) and (
        born_from is None or born_from <= decade <= born_until
    )


def test_who_asks_for_less_of_a_person_is_told_the_rest_more_finely(
    warehouse: Warehouse, release: Any
) -> None:
    write_policy(warehouse.home, research=TERMS, other=TERMS, demography={**TERMS, "tells": []})
    fine = share(warehouse, "demography", TODAY)
    assert set(fine.anonymity.told_counts.values()) == {0}
    kinds = [
        rows(
            one.path / "customers.parquet",
            f"select count(distinct ({', '.join(EXACT)})) from {{t}}",
        )
        for one in (release, fine)
    ]
    assert kinds[1] > [(5 * kinds[0][0][0],)]
    assert fine.anonymity.smallest_group >= 11


def test_only_adults_with_consent_from_the_agreed_countries_are_in_it(
    warehouse: Warehouse, release: Any
) -> None:
    with warehouse.connect(read_only=True) as connection:
        allowed = connection.execute(
            "select customer_durable_key from customer.customer_360 where has_sharing_consent "
            "and country_code in ('GB', 'CN') and birth_decade <= 1990 "
            "and customer_durable_key % 10 != 0"
        ).fetchall()
    permitted = {
        warehouse.key.token(f"share/research/{release.release}", str(key)) for (key,) in allowed
    }
    told = {token for (token,) in rows(release.path / "customers.parquet", "select token from {t}")}
    assert told <= permitted
    assert len(permitted) == release.anonymity.person_count


def test_a_withdrawal_counts_in_the_next_release(warehouse: Warehouse) -> None:
    before = share(warehouse, "research", TODAY).anonymity.person_count
    withdrawn = (
        "customer_durable_key in (select customer_durable_key from customer.customer_360 "
        "where has_sharing_consent and country_code = 'GB' and birth_decade <= 1990 "
        "and customer_durable_key % 10 != 0 order by 1 limit 100)"
    )
    with warehouse.connect() as connection:
        connection.execute("create table customer.kept as from customer.customer_360")
        connection.execute(
            f"update customer.customer_360 set has_sharing_consent = false where {withdrawn}"
        )
    try:
        assert share(warehouse, "research", TODAY).anonymity.person_count == before - 100
    finally:
        with warehouse.connect() as connection:
            connection.execute(
                "create or replace table customer.customer_360 as from customer.kept"
            )
            connection.execute("drop table customer.kept")


def test_two_extracts_cannot_be_joined(warehouse: Warehouse, release: Any) -> None:
    others = [share(warehouse, "other", TODAY), share(warehouse, "research", TODAY)]
    sql = "select token from {t}"
    found = [set(rows(one.path / "customers.parquet", sql)) for one in (release, *others)]
    assert all(found)
    assert not found[0] & found[1]
    assert not found[0] & found[2]


def test_no_sum_is_of_few_customers(release: Any) -> None:
    path = release.path / "sales_by_week.parquet"
    assert rows(path, "select min(customer_count) >= 11 from {t}") == [(True,)]
    assert rows(path, "select count(*) from {t}") == [(release.sales_cell_count,)]
    assert release.suppressed_sales_cell_count > 0


def test_what_was_changed_after_signing_is_found(release: Any, tmp_path: Path) -> None:
    content = verify(release.path, TODAY)
    assert verify(release.path, TODAY, content["public_key"]) == content
    with pytest.raises(SharingError, match="signed by somebody else"):
        verify(release.path, TODAY, "00" * 32)
    files = sorted(path.name for path in release.path.iterdir())
    chance = random.Random(5)
    for number in range(25):
        copy = tmp_path / str(number)
        copy.mkdir()
        for name in files:
            (copy / name).write_bytes((release.path / name).read_bytes())
        victim = copy / chance.choice(files)
        changed = bytearray(victim.read_bytes())
        # A signature's final newline is no part of it.
        changed[chance.randrange(len(changed) - 1)] ^= 1 << chance.randrange(3)
        victim.write_bytes(changed)
        with pytest.raises(SharingError, match=r"not as it was signed|was changed"):
            verify(copy, TODAY)
    (tmp_path / "0" / files[0]).unlink()
    with pytest.raises(SharingError):
        verify(tmp_path / "0", TODAY)


def test_a_file_that_was_added_is_found(release: Any, tmp_path: Path) -> None:
    for path in release.path.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "more.parquet").write_bytes(b"")
    with pytest.raises(SharingError, match=r"more\.parquet is not in the manifest"):
        verify(tmp_path, TODAY)


def test_after_its_term_nothing_is_made_and_a_release_says_so(
    warehouse: Warehouse, release: Any
) -> None:
    with pytest.raises(SharingError, match="sharing with research ended on 2027-01-31"):
        share(warehouse, "research", date(2027, 2, 1))
    with pytest.raises(SharingError, match=r"the term of .* ended on 2027-01-31"):
        verify(release.path, date(2027, 2, 1))


def test_every_release_is_in_the_audit_log(warehouse: Warehouse, release: Any) -> None:
    log = (warehouse.home.private / "audit.jsonl").read_text("utf-8")
    assert f'"{release.release}"' in log
    assert verify_audit(warehouse.home, warehouse.key).is_good


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        pytest.param({"purpose": ""}, "purpose: ", id="no purpose"),
        pytest.param({"expires_on": None}, "expires_on: ", id="no end"),
        pytest.param({"region": "Europe"}, "region: ", id="no country code"),
        pytest.param({"smallest_group": 5}, "smallest_group: ", id="groups too small"),
        pytest.param({"fewest_values": 1}, "fewest_values: ", id="no diversity"),
        pytest.param({"customers_of": []}, "customers_of: ", id="nobody's customers"),
        pytest.param({"cross_border_basis": ""}, "customers of CN would leave for GB", id="abroad"),
        pytest.param({"tells": ["city"]}, "tells.0: ", id="nothing to choose"),
        pytest.param({"epsilon": 1}, "epsilon: ", id="an unknown term"),
    ],
)
def test_terms_that_do_not_hold_are_refused(
    tmp_path: Path, change: dict[str, Any], complaint: str
) -> None:
    write_policy(Home(tmp_path), research={**TERMS, **change})
    with pytest.raises(SharingError, match=complaint) as caught:
        load_partners(Home(tmp_path))
    assert "audiences.yaml: research: " in str(caught.value)
