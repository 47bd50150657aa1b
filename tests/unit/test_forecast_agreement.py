"""The order in which the series of a forecast are made to add up."""

import numpy as np

from dagster_project.core.forecasting.agreement import steps
from dagster_project.core.forecasting.definitions import Definition, Level
from dagster_project.core.forecasting.engine.coherence import ADD, SHARE, Crossed, Step
from dagster_project.core.forecasting.engine.coherence import Sums as Rule
from dagster_project.core.forecasting.hierarchy import Sums, is_parent

NET_SALES = {
    "total": [],
    "banner": ["banner"],
    "channel": ["channel"],
    "store": ["store"],
    "category": ["banner", "department"],
    "store_category": ["store", "department"],
}
UNITS = {"product": ["product"], "store_product": ["store", "product"]}


def definition(cuts: dict[str, list[str]]) -> Definition:
    return Definition.model_validate(
        {
            "forecast": "made_by_hand",
            "description": "Cut as the test says.",
            "source": "core.fct_sales_line",
            "measure": "net_amount_reporting",
            "unit": "reporting_currency",
            "date": "business_date",
            "grain": "day",
            "series": [{"level": name, "by": by, "set": "smooth"} for name, by in cuts.items()],
        }
    )


def all_sums(levels: tuple[Level, ...], incomplete: tuple[str, ...] = ()) -> list[Sums]:
    """Every pair of levels, a parent of two parts each; rows are told apart by the level."""
    place = {one.level: 10 * n for n, one in enumerate(levels)}
    return [
        Sums(
            parent.level,
            child.level,
            np.array([place[parent.level]]),
            (np.array([place[child.level], place[child.level] + 1]),),
            np.array([child.level not in incomplete]),
        )
        for parent in levels
        for child in levels
        if is_parent(parent, child)
    ]


def told(found: tuple[Step, ...], levels: tuple[Level, ...]) -> list[str]:
    """``total = banner`` for a sum, ``total > channel`` for what is shared out."""
    names = {10 * n: one.level for n, one in enumerate(levels)}

    def one_rule(rule: Rule) -> str:
        sign = {ADD: "=", SHARE: ">"}[rule.rule]
        return f"{names[int(rule.parents[0])]} {sign} {names[int(rule.children[0][0])]}"

    return [
        f"{one_rule(step.first)} & {one_rule(step.second)}"
        if isinstance(step, Crossed)
        else one_rule(step)
        for step in found
    ]


def order(cuts: dict[str, list[str]], incomplete: tuple[str, ...] = ()) -> list[str]:
    levels = definition(cuts).series
    return told(steps(definition(cuts), all_sums(levels, incomplete)), levels)


def test_shops_are_added_up_and_all_other_cuts_are_scaled_to_them() -> None:
    assert order(NET_SALES) == [
        "banner = store",
        "total = banner",
        "total > channel",
        "banner > category",
        "store > store_category & category > store_category",
    ]


def test_the_order_is_the_same_however_the_levels_are_listed() -> None:
    turned = dict(reversed(NET_SALES.items()))

    assert order(turned) == [
        "banner = store",
        "total = banner",
        "total > channel",
        "banner > category",
        "category > store_category & store > store_category",
    ]


def test_without_banners_the_shops_are_added_up_to_the_total() -> None:
    fewer = {name: by for name, by in NET_SALES.items() if name != "banner"}

    assert order(fewer)[0] == "total = store"


def test_products_are_the_sum_of_what_is_sold_in_the_shops() -> None:
    assert order(UNITS) == ["product = store_product"]


def test_one_level_alone_needs_no_steps() -> None:
    assert order({"store": ["store"]}) == []


def test_parts_that_were_not_the_whole_are_neither_added_up_nor_scaled() -> None:
    assert order(NET_SALES, incomplete=("channel",)) == [
        "banner = store",
        "total = banner",
        "banner > category",
        "store > store_category & category > store_category",
    ]


def test_without_complete_shops_nothing_is_added_up_to_a_banner() -> None:
    found = order(NET_SALES, incomplete=("store", "store_category"))

    assert not any("store" in one for one in found)


def test_a_pair_one_of_whose_parents_is_incomplete_is_left_out_as_a_whole() -> None:
    levels = definition(UNITS).series
    (pair,) = all_sums(levels)
    two = Sums("product", "store_product", pair.parents.repeat(2), pair.children * 2,
               np.array([True, False]))  # fmt: skip

    assert steps(definition(UNITS), [two]) == ()
