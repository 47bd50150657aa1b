"""The first page: right figures, harmless text, no request to anywhere."""

import re
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import pytest
from sales_warehouse import CLASSES, SALES_DAILY, build_sales_warehouse, manifest_for

from dagster_project.core.forecasting.tables import TABLES
from dagster_project.core.home import Home, Settings
from dagster_project.core.publishing import PublicationError, publish
from dagster_project.core.reports import figures, write_overview
from dagster_project.core.reports import markup as m
from dagster_project.core.warehouse import Warehouse

SETTINGS = Settings(
    group_name="Corner & Sons <Ltd>",
    time_zone="Europe/London",
    nightly_refresh="02:30",
    reporting_currency="USD",
)
LAST = date(2017, 3, 1)  # the 60th day of the fixture's sales
VOID_ELEMENTS = {"meta", "br"}

FORECAST = """
insert into forecast.series by name
select 'net_sales/total' as series_key, 'net_sales' as forecast, 'total' as level,
    'total' as member_code, 'Total' as member_name,
    date '2017-01-01' as first_date, date '2017-03-01' as last_date, 60 as day_count,
    'smooth' as demand_class, 'forecast' as status, 'blend' as model,
    date '2017-03-01' as origin_date, 3 as window_count, .81 as coverage_80,
    'reporting_currency' as unit, 'USD' as currency_code;
insert into forecast.daily
select 'net_sales/total', date '2017-03-01', date '2017-03-01' + i::integer, i, 'blend', 100, 60,
    80, 100, 120, 140, false
from range(1, 29) as t(i);
insert into forecast.backtest values
    ('net_sales/total', date '2017-02-01', date '2017-02-02', 1, 'published', 100, 92),
    ('net_sales/total', date '2017-02-01', date '2017-02-02', 1, 'seasonal_naive', 100, 110);
"""
QUALITY = """
insert into ops.check_result (
    run_id, checked_at, schema_name, table_name, check_name, kind, severity, is_blocking,
    has_passed, failed_count, why
) values
    ('r', now(), 'core', 'fct_tender', 'amounts are <usual>', 'expectation', 'warning', false,
        false, 7, 'why'),
    ('r', now(), 'core', 'fct_tender', 'keys are unique', 'expectation', 'error', true, true, 0,
        'why');
insert into ops.store_day values
    (1, 'Market <One>', date '2026-03-02', 'A', 0, 0, 0, 0, null, 'tills', 90),
    (1, 'Market <One>', date '2026-03-03', 'D', 2, 0, 1, 0, '9 of 90 receipts lack lines', 'tills',
        90),
    (1, 'Market <One>', date '2026-02-20', 'F', 5, 0, 0, 0, 'last month', 'tills', 0);
insert into ops.file_ledger values
    ('a', 'a', 'tills', 'f.csv', 9, now(), null, 'pos_standard', 1, 1010, 1000, 7, 3, 'loaded',
        null, 1, null, null);
insert into ops.rejects values
    (1, 'tills', 'a', 3, 3, 3, 0, 'line', 'quantity', 'not_a_number', 'm', 'raw', 1, null,
        'record');
"""


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """60 days of 30 receipts, forecast, judged and published."""
    built = build_sales_warehouse(tmp_path_factory.mktemp("home"), days=60, receipts_per_day=30)
    with built.connect() as connection:
        for table, columns in TABLES.items():
            body = ", ".join(f"{name} {kind}" for name, kind in columns.items())
            connection.execute(f"create table forecast.{table} ({body})")
        connection.execute(FORECAST)
        connection.execute(QUALITY)
    publish(built, "analyst", manifest_for(), run_id="r")
    return built


@pytest.fixture(scope="module")
def page(warehouse: Warehouse) -> str:
    return write_overview(warehouse.home, SETTINGS).read_text("utf-8")


class Balance(HTMLParser):
    """Fails on a closing tag that does not match, collects attributes and text."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in VOID_ELEMENTS:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value) for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_well_formed_and_small(page: str) -> None:
    balance = Balance()
    balance.feed(page)
    balance.close()
    assert balance.open == []
    assert len(page.encode()) < 2_000_000


def test_the_page_asks_for_nothing_from_anywhere(page: str) -> None:
    balance = Balance()
    balance.feed(page)
    asking = {"src", "href", "xlink:href", "srcset", "action", "data", "poster"}
    assert [a for a in balance.attributes if a[1] in asking] == []
    assert not re.search(r"<script|@import|url\(", page)
    namespaces = {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert set(re.findall(r"https?://[^\"'<\s]+", page)) <= namespaces


def test_text_from_data_and_settings_cannot_become_markup(page: str) -> None:
    assert "Corner &amp; Sons &lt;Ltd&gt;" in page
    assert "<Ltd>" not in page
    assert page.count("&lt;b&gt;Bread&lt;/b&gt; &amp; butter") == 10  # the best sellers
    assert "<b>Bread</b>" not in page
    assert "amounts are &lt;usual&gt;" in page


def test_every_picture_says_in_words_what_it_shows(page: str) -> None:
    pictures = re.findall(r'role="img" aria-label="([^"]*)"', page)
    assert any("Net sales by day up to 1 March 2017" in words for words in pictures)
    assert any(words.startswith("Receipts by weekday and hour; the busiest") for words in pictures)
    assert all(pictures)


def test_the_page_says_what_it_is_and_how_far_to_trust_it(page: str) -> None:
    assert "Sales up to <b>Wednesday 1 March 2017</b> · version 1" in page
    assert "Expected for the next 28 days: USD 2,800 (Mean of Prophet and boosted trees)." in page
    assert "On the total the forecast misses 8.0" in page
    assert "beats the better simple method, last week again, with 10.0" in page
    assert "not a number" in page
    assert '<span class="status warned">warned</span>' in page
    assert "1,010" not in page  # the feed shows loaded, rejected and repeated, not their sum
    assert '<td class="number" data-head="Loaded"><div>1,000</div></td>' in page


def test_poor_days_of_the_last_week_are_named_with_their_reason(page: str) -> None:
    assert "The last week: 1 A, 1 D." in page
    assert "Market &lt;One&gt;" in page
    assert "9 of 90 receipts lack lines" in page
    assert "last month" not in page


def test_headlines_are_those_of_the_lines(warehouse: Warehouse) -> None:
    with warehouse.connect(read_only=True) as connection:
        wanted = connection.execute(
            """
            select
                store.banner,
                sum(net_amount_reporting)::double,
                count(distinct transaction_key),
                count(distinct line.customer_key),
            from core.fct_sales_line as line
            inner join core.dim_store as store using (store_key)
            where business_date > date '2017-03-01' - 28
            group by rollup (store.banner)
            order by 1 nulls first
            """
        ).fetchall()
    with figures.open_figures(warehouse.home, "analyst") as (connection, publication):
        period = figures.Period(figures.last_complete_day(connection, publication))
        found = figures.headlines(connection, period)
    assert (period.first, period.last) == (date(2017, 2, 2), LAST)
    shown = sorted(
        ((h.banner, h.net_sales, h.receipts, h.customers) for h in found),
        key=lambda row: row[0] or "",
    )
    assert [row[0] for row in shown] == [None, "Journey Market", "Lantern"]
    assert [row[2:] for row in shown] == [row[2:] for row in wanted]
    assert [row[1] for row in shown] == pytest.approx([row[1] for row in wanted])


def test_a_day_of_thirty_receipts_is_thirty_in_the_heat_map(warehouse: Warehouse) -> None:
    with figures.open_figures(warehouse.home, "analyst") as (connection, _):
        hours = figures.busy_hours(connection, LAST)
    # 60 days of 30 receipts over twelve weeks; the void at ten o'clock is not counted.
    assert sum(receipts for *_, receipts in hours) == pytest.approx(60 * 30 / 12)
    assert {weekday for weekday, *_ in hours} == set(range(1, 8))


def test_best_sellers_come_with_their_name_of_today(warehouse: Warehouse) -> None:
    with figures.open_figures(warehouse.home, "analyst") as (connection, _):
        best = figures.top_products(connection, figures.Period(LAST), count=60)
    assert len(best) == 60
    amounts = [product.net_sales for product in best]
    assert amounts == sorted(amounts, reverse=True)
    assert {product.name for product in best} == {
        f"<b>Bread</b> & butter {i}" for i in range(1, 61)
    }


def test_without_forecasts_and_checks_the_page_says_so(tmp_path: Path) -> None:
    warehouse = build_sales_warehouse(tmp_path, days=3, receipts_per_day=10)
    publish(warehouse, "analyst", manifest_for(), run_id="r")
    page = write_overview(warehouse.home, SETTINGS).read_text("utf-8")
    assert "There is no forecast yet." in page
    assert "There is no back-test yet." in page
    assert "No check has run yet." in page


def test_the_second_version_explains_its_differences(tmp_path: Path) -> None:
    warehouse = build_sales_warehouse(tmp_path, days=3, receipts_per_day=10)
    publish(warehouse, "analyst", manifest_for(), run_id="r")
    assert "Why did a number change?" not in write_overview(warehouse.home, SETTINGS).read_text()
    with warehouse.connect() as connection:
        connection.execute("update core.fct_sales_line set quantity = 11 where sales_line_key = 1")
        connection.execute(SALES_DAILY)
        connection.execute("update ops.build_state set built_batch_id = 2")
    publish(warehouse, "analyst", manifest_for(), run_id="r2")
    page = write_overview(warehouse.home, SETTINGS).read_text("utf-8")
    assert "Why did a number change?" in page
    # One unit became eleven on a day that was known before: 10 more, all on earlier days.
    assert re.search(r"Units<br><small>Journey Market.*?>10\.00<.*?>0\.00<.*?>10\.00<", page)


def test_without_a_publication_there_is_one_clear_line(tmp_path: Path) -> None:
    home = Home(tmp_path).create()
    with pytest.raises(PublicationError, match="nothing has been published for analyst yet"):
        write_overview(home, SETTINGS)
    assert list(home.reports.iterdir()) == []


def test_a_publication_without_sales_is_refused(tmp_path: Path) -> None:
    warehouse = build_sales_warehouse(tmp_path, days=2, receipts_per_day=4)
    classes = {name: CLASSES[name] for name in ("core.dim_store", "core.dim_channel")}
    publish(warehouse, "analyst", manifest_for(classes), run_id="r")
    with pytest.raises(PublicationError, match="version 1 of analyst holds no sales"):
        write_overview(warehouse.home, SETTINGS)


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0, "0.00"), (12.345, "12.35"), (999.5, "999.50"), (12345.6, "12,346"), (-1500, "−1,500")],
)
def test_small_numbers_keep_their_cents(value: float, shown: str) -> None:
    assert m.compact(value, 2) == shown


def test_large_numbers_are_shortened_and_exact_on_hovering() -> None:
    assert m.compact(1_234_567) == "1.23\N{NARROW NO-BREAK SPACE}M"
    assert m.compact(1_840_000_000) == "1.84\N{NARROW NO-BREAK SPACE}bn"
    assert 'title="IRR 1,840,000,000.00"' in m.money(1_840_000_000, "IRR")


def test_a_change_is_told_by_arrow_and_sign() -> None:
    assert "▲ +10.0" in m.change(110, 100)
    assert "▼ −10.0" in m.change(90, 100)
    assert "no comparison" in m.change(5, 0)
    assert "unchanged" in m.change(100, 100)
