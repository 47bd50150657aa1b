"""A forecast is one file; a mistake in it is told with its line and what was meant."""

from pathlib import Path

import pytest

from dagster_project.core.forecasting.definitions import (
    FORECASTS,
    ForecastError,
    load_definitions,
)

GOOD = """\
forecast: units
description: Units sold in every store.
source: core.fct_sales_line
measure: quantity
unit: units
date: business_date
grain: day
series:
  - level: total
    by: []
    set: smooth
  - level: store_product
    by: [store, product]
    set: intermittent
    inventory: {lead_days: 3}
"""
KNOWN = {
    ("core", "fct_sales_line"): dict.fromkeys(
        ["quantity", "business_date", "store_durable_key", "product_durable_key"], "any"
    ),
    ("core", "fct_tender"): {"business_date": "date"},
}


def written(folder: Path, text: str, name: str = "units.yaml") -> Path:
    directory = folder / "forecasts"
    directory.mkdir(exist_ok=True)
    (directory / name).write_text(text, "utf-8")
    return directory


def mistakes(folder: Path, text: str, name: str = "units.yaml") -> tuple[str, ...]:
    with pytest.raises(ForecastError) as caught:
        load_definitions(written(folder, text, name), KNOWN)
    return caught.value.mistakes


def test_a_file_is_a_forecast_with_defaults_for_what_it_leaves_out(tmp_path):
    (found,) = load_definitions(written(tmp_path, GOOD), KNOWN)

    assert (found.name, found.horizon_days, found.windows) == ("units", 28, 6)
    assert found.events == "store_countries"
    inventory = found.level("store_product").inventory
    assert (inventory.lead_days, inventory.review_days, inventory.service_level) == (3, 7, 0.98)


def test_a_new_forecast_is_found_by_its_file_alone(tmp_path):
    written(tmp_path, GOOD)
    directory = written(tmp_path, GOOD.replace("forecast: units", "forecast: more"), "more.yaml")

    assert [one.name for one in load_definitions(directory, KNOWN)] == ["more", "units"]


def test_the_forecasts_that_come_with_the_product_are_sound():
    assert {"net_sales", "units"} <= {one.name for one in load_definitions(FORECASTS)}


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        pytest.param(
            "measure:", "mesure:", "4: mesure: unknown key; did you mean measure?", id="key",
        ),
        pytest.param("unit: units\n", "", "1: unit is missing", id="missing key"),
        pytest.param(
            "set: smooth", "set: smoth", "11: series.0.set: 'smoth' is not known; did you mean "
            "smooth?", id="word",
        ),
        pytest.param(
            "[store, product]", "[store, produkt]",
            "13: series.1.by.1: 'produkt' is not known; did you mean product?", id="dimension",
        ),
        pytest.param(
            "by: [store, product]", "by: []", "13: series.1.by: store_product is cut like total",
            id="same cut",
        ),
        pytest.param(
            "by: []", "by: [store, banner]",
            "10: series.0.by: a store is of one banner: leave banner out", id="banner and store",
        ),
        pytest.param(
            "level: store_product", "level: total", "12: series.1.level: two levels named total",
            id="same name",
        ),
        pytest.param(
            "lead_days: 3", "lead_day: 3",
            "15: series.1.inventory.lead_day: unknown key; did you mean lead_days?", id="inner key",
        ),
        pytest.param(
            "    set: smooth", "    set: smooth\n    inventory: {}",
            "12: series.0.inventory: stock levels are of products in stores: by [store, product]",
            id="stock of no product",
        ),
        pytest.param(
            "grain: day", "grain: day\nwindows: 2",
            "8: windows: input should be greater than or equal to 3", id="too few windows",
        ),
        pytest.param(
            "grain: day", "grain: day\nmodels: [prophett]",
            "8: models.0: no model prophett; did you mean prophet?", id="model",
        ),
        pytest.param(
            "grain: day", "grain: day\nregressors: [promotions]",
            "8: regressors.0: 'promotions' is not known; did you mean promotion?", id="regressor",
        ),
        pytest.param("grain: day", "grain: day\ngrain: day", "8: grain: the key is given twice",
                     id="twice"),
        pytest.param(
            "core.fct_sales_line", "core.fct_sale_line",
            "3: source: nobody makes core.fct_sale_line; did you mean core.fct_sales_line?",
            id="mart",
        ),
        pytest.param(
            "measure: quantity", "measure: quantities",
            "4: measure: core.fct_sales_line has no column quantities; did you mean quantity?",
            id="column",
        ),
        pytest.param(
            "[store, product]", "[store, product, film]",
            "13: series.1.by.2: core.fct_sales_line has no film_key to cut by film",
            id="no such cut",
        ),
        pytest.param(
            "forecast: units", "forecast: unit", "1: forecast: 'unit' must be the file's name, "
            "units", id="name",
        ),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_line_and_what_was_meant(tmp_path, old, new, told):
    assert old in GOOD

    found = mistakes(tmp_path, GOOD.replace(old, new, 1))

    assert f"forecasts/units.yaml:{told}" in found


def test_all_mistakes_of_all_files_are_told_at_once(tmp_path):
    written(tmp_path, "forecast: units\nseries: }", "broken.yaml")

    found = mistakes(tmp_path, GOOD.replace("grain: day", "grain: week\nhorizon_days: 1"))

    assert [one.split(": ")[0] for one in found] == [
        "forecasts/broken.yaml:2", "forecasts/units.yaml:7", "forecasts/units.yaml:8",
    ]  # fmt: skip


def test_a_file_of_another_ending_is_not_passed_over(tmp_path):
    found = mistakes(tmp_path, GOOD, "units.yml")

    assert found == ("forecasts/units.yml:1: a forecast is forecasts/<forecast>.yaml",)
