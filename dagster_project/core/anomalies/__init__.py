"""Anomalies: days of a store that are not as days of this store are, found in the marts.

Each day of each watched table is measured in one statement and judged by the days before it:
weekday, level and trend, what other stores did, holidays and promotions. Imports no numpy before
something is judged.
"""

from dagster_project.core.anomalies.alarms import Alarm, TooLittle
from dagster_project.core.anomalies.history import open_alarms, record_verdicts
from dagster_project.core.anomalies.judging import Verdict, fold, judge_all, judge_table
from dagster_project.core.anomalies.measures import Measured, last_day, measure
from dagster_project.core.anomalies.watched import Watch, Watched, WatchError, load_watch
from dagster_project.core.anomalies.window import days_to_judge

__all__ = [
    "Alarm",
    "Measured",
    "TooLittle",
    "Verdict",
    "Watch",
    "WatchError",
    "Watched",
    "days_to_judge",
    "fold",
    "judge_all",
    "judge_table",
    "last_day",
    "load_watch",
    "measure",
    "open_alarms",
    "record_verdicts",
]
