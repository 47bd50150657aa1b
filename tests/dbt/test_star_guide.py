"""The page of the star is what the models declare."""

from __future__ import annotations

from dagster_project.console.star_guide import PAGE, guide


def test_the_page_of_the_star_is_what_the_models_say(manifest) -> None:
    assert PAGE.read_text("utf-8") == guide(manifest)


def test_the_bus_matrix_shows_what_a_sale_meets(manifest) -> None:
    lines = guide(manifest).splitlines()
    head = next(line for line in lines if line.startswith("| fact |")).split(" | ")
    sale = next(line for line in lines if line.startswith("| `sales_line` |")).split(" | ")
    met = {title.strip("| ") for title, dot in zip(head, sale, strict=True) if "●" in dot}
    assert {"store ²", "product ²", "customer ²", "date", "promotion", "employee ²"} <= met
    assert "survey" not in " ".join(met)
