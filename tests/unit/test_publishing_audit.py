"""The audit finds what must not be published, and nothing else."""

from collections.abc import Iterator

import duckdb
import pytest

from dagster_project.core.publishing import PublicationError
from dagster_project.core.publishing.audit import audit
from dagster_project.core.publishing.tables import Classification, Column, Table

NAMES = [f"王{chr(0x4E00 + 7 * i)}" for i in range(40)]  # short names, as in many members' lists


@pytest.fixture
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    """A private catalogue with a vault and a mart, and a copy of the mart to be judged."""
    with duckdb.connect() as connection:
        for catalog in ("private", "copy"):
            connection.execute(f"attach ':memory:' as {catalog}; create schema {catalog}.core")
        connection.execute(
            """
            create schema private.vault;
            create table private.vault.personal_value (
                domain varchar, token varchar, value varchar
            );
            insert into private.vault.personal_value values
                ('phone', 't1', '+8613812345678'), ('email', 't2', 'wang.fang@example.cn'),
                ('person_name', 't3', 'Lincoln'), ('member', 't4', '1042'),
                ('address', 't5', '12 Station Road, Leeds')
            """
        )
        connection.executemany(
            "insert into private.vault.personal_value values ('person_name', 'n', ?)",
            [(name,) for name in NAMES],
        )
        yield connection


def judge(
    engine: duckdb.DuckDBPyConnection,
    values: list[object],
    kind: str = "varchar",
    name: str = "note",
) -> None:
    for catalog in ("private", "copy"):
        engine.execute(f"create table {catalog}.core.mart (k bigint, {name} {kind})")
        engine.executemany(
            f"insert into {catalog}.core.mart values (?, ?)", list(enumerate(values))
        )
    columns = tuple(Column(c, Classification.INTERNAL, "") for c in ("k", name))
    audit(engine, [Table("core", "mart", "", columns)], source="private", target="copy")


@pytest.mark.parametrize(
    ("value", "finding"),
    [
        pytest.param("4111111111111111", "1 card numbers", id="a Visa number"),
        pytest.param("paid with 4111 1111 1111 1111 thanks", "1 card numbers", id="in groups"),
        pytest.param("card 3782-822463-10005", "1 card numbers", id="an American Express number"),
        pytest.param("کارت ۶۰۳۷۹۹۷۹۵۰۰۰۰۰۰۱", "1 card numbers", id="an Iranian card"),
        pytest.param("６２１２３４５６７８９０１２６５", "1 card numbers", id="full width digits"),
        pytest.param("Wang.Fang@example.cn", "1 clear personal values", id="a mail address"),
        pytest.param("write to wang.fang@example.cn please, " * 3, "1 clear", id="mail in prose"),
        pytest.param("+8613812345678", "1 clear personal values", id="a phone number"),
        pytest.param("8613812345678", "1 clear personal values", id="without its plus"),
        pytest.param("call me on +86 138-1234-5678 tonight", "1 clear", id="phone in prose"),
        pytest.param("12 station road, leeds", "1 clear personal values", id="an address"),
    ],
)
def test_the_audit_finds(engine: duckdb.DuckDBPyConnection, value: str, finding: str) -> None:
    with pytest.raises(PublicationError, match=finding) as caught:
        judge(engine, ["harmless", value])
    assert "core.mart.note" in str(caught.value)
    assert value not in str(caught.value)


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("4111111111111112", id="a number with a wrong check digit"),
        pytest.param("6901234567892", id="an article number"),
        pytest.param("20170101120000004", id="a receipt number made of date and time"),
        pytest.param("41111111111111110000", id="a longer number that begins like a card"),
        pytest.param("Lincoln", id="a city that is also a given name"),
        pytest.param("1042", id="a product code that is also a member number"),
        pytest.param("411111******1111", id="a masked number in prose"),
    ],
)
def test_the_audit_lets_pass(engine: duckdb.DuckDBPyConnection, value: str) -> None:
    judge(engine, ["harmless", value])


def test_a_column_filled_with_names_is_found(engine: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(PublicationError, match=r"40 of 41 values of core.mart.note are clear"):
        judge(engine, [*NAMES, "南京路店"])


def test_a_card_number_in_a_number_column_is_found(engine: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(PublicationError, match=r"1 card numbers in core.mart.reference"):
        judge(engine, [7, 4111111111111111], "bigint", "reference")


def test_a_key_of_ours_is_no_card_number(engine: duckdb.DuckDBPyConnection) -> None:
    judge(engine, [4111111111111111], "bigint", "store_key")


@pytest.mark.parametrize("name", ["phone_token", "card_number_masked", "cvv", "contact_email"])
def test_a_column_whose_name_says_personal_is_found(
    engine: duckdb.DuckDBPyConnection, name: str
) -> None:
    with pytest.raises(PublicationError, match=f"a personal or card column core.mart.{name}"):
        judge(engine, ["x"], "varchar", name)


def test_whether_somebody_may_be_mailed_is_no_mail_address(
    engine: duckdb.DuckDBPyConnection,
) -> None:
    judge(engine, [True], "boolean", "is_email_allowed")


def test_a_missing_row_is_found(engine: duckdb.DuckDBPyConnection) -> None:
    judge(engine, ["a", "b"])
    engine.execute("delete from copy.core.mart where k = 1")
    columns = tuple(Column(c, Classification.INTERNAL, "") for c in ("k", "note"))
    with pytest.raises(PublicationError, match=r"core.mart has 1 of 2 rows"):
        audit(engine, [Table("core", "mart", "", columns)], source="private", target="copy")


def test_a_table_or_column_too_many_is_found(engine: duckdb.DuckDBPyConnection) -> None:
    judge(engine, ["a"])
    engine.execute("create table copy.core.vault as select 1 as k")
    engine.execute("alter table copy.core.mart add column person_name varchar")
    columns = tuple(Column(c, Classification.INTERNAL, "") for c in ("k", "note"))
    with pytest.raises(PublicationError) as caught:
        audit(engine, [Table("core", "mart", "", columns)], source="private", target="copy")
    assert "unexpected table core.vault" in str(caught.value)
    assert "undeclared column core.mart.person_name" in str(caught.value)
