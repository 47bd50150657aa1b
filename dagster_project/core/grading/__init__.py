"""Grading: how far the day of a store can be trusted, A to F, with the reason and whom to phone.

Complete, timely, balanced and plausible: from the star, the book of loads and the anomalies.
"""

from dagster_project.core.grading.alerts import Alert, contact_of_table, store_alerts
from dagster_project.core.grading.chart import grade_chart
from dagster_project.core.grading.criteria import CRITERIA, POINTS, Missing
from dagster_project.core.grading.store_days import (
    StoreDay,
    count_grades,
    grade_store_days,
    missing_numbers,
    poor_store_days,
)

__all__ = [
    "CRITERIA",
    "POINTS",
    "Alert",
    "Missing",
    "StoreDay",
    "contact_of_table",
    "count_grades",
    "grade_chart",
    "grade_store_days",
    "missing_numbers",
    "poor_store_days",
    "store_alerts",
]
