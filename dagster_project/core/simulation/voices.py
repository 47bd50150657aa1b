"""What customers answer and ask: surveys after some receipts and orders, and service cases.

Belongs here: the answers and cases of a week, and who was behind them. Does not: posts (``posts``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from dagster_project.core.simulation.columns import (
    Columns,
    decimal,
    flag,
    known_times,
    local_times,
    picked,
    same,
    text,
    whole,
)
from dagster_project.core.simulation.masters import HEAD_OFFICE
from dagster_project.core.simulation.people import PLAIN, People
from dagster_project.core.simulation.plan import Country, Plan, Site, Stream, Week
from dagster_project.core.simulation.staff import AGENTS, agent_code
from dagster_project.core.simulation.tills import Rows
from dagster_project.core.simulation.words_posts import MOODS, POSTS

ANSWER_SHARE, ONLINE_ANSWER_SHARE = 0.012, 0.04  # of receipts and orders of members
CASE_SHARE, ONLINE_CASE_SHARE = 0.002, 0.015  # of receipts and orders of people who are followed
COMMENT_SHARE = 0.4
USUAL_STARS, SPREAD = 4.1, 0.9
QUALITY = (-0.9, 0.3)  # a shop's service against the usual, drawn once
HOUR, DAY = 3600, 86400
TOPICS = ("delivery", "quality", "refund", "points", "account")
TOPIC_SHARES = {"till": (0.0, 0.5, 0.25, 0.15, 0.1), "web": (0.55, 0.2, 0.15, 0.05, 0.05)}
OUTCOMES = ("explained", "refund", "exchange", "voucher", "refused")
CHANNELS = ("phone", "chat", "email", "counter")
PRIORITIES = ("normal", "high", "urgent")
UNSOLVED_SHARE = 0.03
COMPLAINTS = (True, True, True, False, False)  # by topic


@dataclass(frozen=True)
class Served:
    """Receipts or orders of a week, as far as customers speak of them."""

    kind: str  # till or web
    numbers: np.ndarray  # object
    site: np.ndarray  # place in the country's sites
    person: np.ndarray
    account: np.ndarray
    moment: np.ndarray  # seconds since 1970
    operator: np.ndarray  # object: operator code, None online
    article: np.ndarray  # one of the articles on it


def make_answers(plan: Plan, week: Week, country: Country, parts: list[Served]) -> Rows:
    """Answers of a week: stars from 1 to 5 and recommendation from 0 to 10 for each response."""
    rng = plan.generator(Stream.VOICES, country.number, week.number)
    quality = site_quality(plan, country)
    found = []
    for part in parts:
        share = ONLINE_ANSWER_SHARE if part.kind == "web" else ANSWER_SHARE
        chosen = np.flatnonzero((part.account >= 0) & (rng.random(part.site.size) < share))
        mood = USUAL_STARS + quality[part.site[chosen]] + rng.normal(0, SPREAD, chosen.size)
        stars = np.clip(np.round(mood), 1, 5).astype(np.int64)
        advice = np.clip(np.round(2 * mood + rng.normal(0, 0.8, chosen.size)), 0, 10)
        asked = part.moment[chosen] + HOUR
        found.append({
            "number": part.numbers[chosen], "site": part.site[chosen],
            "account": part.account[chosen], "operator": part.operator[chosen],
            "article": part.article[chosen], "asked": asked, "stars": stars,
            "answered": asked + (HOUR * rng.lognormal(1.8, 1.0, chosen.size)).astype(np.int64),
            "advice": advice.astype(np.int64), "words": rng.integers(0, 10**6, chosen.size),
            "writes": rng.random(chosen.size) < COMMENT_SHARE,
        })  # fmt: skip
    return _stacked(found)


def site_quality(plan: Plan, country: Country) -> np.ndarray:
    """Stars above or below the usual, by site of the country."""
    rng = plan.generator(Stream.VOICES, country.number)
    return rng.uniform(*QUALITY, len(plan.shops(country)) + len(plan.online(country)))


def _stacked(parts: list[Rows]) -> Rows:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def answer_columns(
    rows: Rows, country: Country, sites: list[Site], people: People, goods: list[str]
) -> Columns:
    """``lantern_surveys``: two rows per response, the second with what was written."""
    size = rows["site"].size
    twice = np.repeat(np.arange(size), 2)
    second = np.tile([False, True], size)
    stars = rows["stars"]
    sentences = POSTS[country.language]
    mood = np.where(stars >= 4, 0, np.where(stars == 3, 1, 2)).tolist()
    written = [
        sentences[MOODS[m]][w % len(sentences[MOODS[m]])].format(good=goods[a]) if writes else None
        for m, w, a, writes in zip(
            mood, rows["words"].tolist(), rows["article"].tolist(), rows["writes"].tolist(),
            strict=True,
        )
    ]  # fmt: skip
    comments = np.array([*written, None], dtype=object)
    return {
        "response": text([f"N{number}" for number in rows["number"][twice].tolist()]),
        "question": picked(second.astype(np.int64), ["advice", "stars"]),
        "points": whole(np.where(second, stars[twice], rows["advice"][twice])),
        "words": text(comments[np.where(second, twice, size)]),
        "lang": same(country.language, twice.size),
        "club_no": picked(rows["account"][twice], people.club_numbers),
        "shop": picked(rows["site"][twice], [site.code for site in sites]),
        "bon": text(rows["number"][twice]),
        "cashier": text(rows["operator"][twice]),
        "asked_at": local_times(rows["asked"][twice], HEAD_OFFICE, with_offset=False),
        "answered_at": local_times(rows["answered"][twice], HEAD_OFFICE, with_offset=False),
    }


def make_cases(plan: Plan, week: Week, country: Country, parts: list[Served]) -> Rows:
    """Cases that a week's receipts and orders lead to; times in seconds since 1970, -1 never."""
    rng = plan.generator(Stream.VOICES, country.number, week.number, 1)
    found = []
    for part in parts:
        share = ONLINE_CASE_SHARE if part.kind == "web" else CASE_SHARE
        chosen = np.flatnonzero((part.person >= 0) & (rng.random(part.site.size) < share))
        size = chosen.size
        opened = part.moment[chosen] + (HOUR * rng.lognormal(3.0, 0.8, size)).astype(np.int64)
        answered = opened + (HOUR * rng.lognormal(0.8, 0.9, size)).astype(np.int64)
        solved = answered + (HOUR * rng.lognormal(2.6, 1.1, size)).astype(np.int64)
        topic = rng.choice(len(TOPICS), size, p=TOPIC_SHARES[part.kind])
        outcome = rng.choice(len(OUTCOMES), size, p=(0.4, 0.25, 0.1, 0.15, 0.1))
        found.append({
            "number": part.numbers[chosen], "site": part.site[chosen],
            "person": part.person[chosen], "account": part.account[chosen],
            "article": part.article[chosen], "opened": opened, "answered": answered,
            "solved": np.where(rng.random(size) < UNSOLVED_SHARE, -1, solved), "topic": topic,
            "outcome": outcome, "channel": rng.integers(0, len(CHANNELS), size),
            "priority": rng.choice(len(PRIORITIES), size, p=(0.8, 0.15, 0.05)),
            "agent": rng.integers(0, AGENTS, size), "words": rng.integers(0, 10**6, size),
            "stars": rng.integers(1, 6, size),
        })  # fmt: skip
    return _stacked(found)


def case_columns(
    rows: Rows, country: Country, sites: list[Site], people: People, goods: list[str]
) -> Columns:
    """``lantern_cases``: one row per service case, as it ended."""
    size, person = rows["site"].size, rows["person"]
    solved = rows["solved"] >= 0
    complaint = np.array(COMPLAINTS)[rows["topic"]]
    sentences = POSTS[country.language]
    said = [
        sentences[mood][words % len(sentences[mood])].format(good=goods[article])
        for mood, words, article in zip(
            np.where(complaint, "negative", "neutral").tolist(), rows["words"].tolist(),
            rows["article"].tolist(), strict=True,
        )
    ]  # fmt: skip
    ends = np.where(solved, rows["solved"], rows["answered"])
    voucher = solved & (rows["outcome"] == OUTCOMES.index("voucher"))
    return {
        "case_no": text(case_numbers(rows)),
        "opened": _office(rows["opened"]),
        "answered": _office(rows["answered"]),
        "solved": known_times(rows["solved"], solved, HEAD_OFFICE, with_offset=False),
        "changed": _office(ends),
        "state": flag(solved, "done", "waits"),
        "via": picked(rows["channel"], CHANNELS),
        "about": picked(rows["topic"], TOPICS),
        "urgency": picked(rows["priority"], PRIORITIES),
        "outcome": picked(np.where(solved, rows["outcome"], -1), OUTCOMES),
        "complaint": flag(complaint, "Y", "N"),
        "said": text(said),
        "lang": same(country.language, size),
        "club_no": picked(rows["account"], people.club_numbers),
        "mail": text(people.emails[person, PLAIN]),
        "mobile": text(people.phones[person, PLAIN]),
        "agent": picked(rows["agent"], [agent_code(country, n) for n in range(AGENTS)]),
        "shop": picked(rows["site"], [site.code for site in sites]),
        "bon": text(rows["number"]),
        "voucher": decimal(np.full(size, country.postage), country.minor_digits, voucher),
        "curr": same(country.currency, size),
        "stars": whole(rows["stars"], solved & (rows["words"] % 3 == 0)),
    }


def case_numbers(rows: Rows) -> list[str]:
    """A number for each case; nobody opens two about one receipt."""
    return [f"C{number}" for number in rows["number"].tolist()]


def _office(moments: np.ndarray) -> pa.Array:
    return local_times(moments, HEAD_OFFICE, with_offset=False)


def case_person_columns(rows: Rows, people: People) -> Columns:
    """``case_persons``: who was behind each case."""
    return {"case_id": text(case_numbers(rows)), "person_id": picked(rows["person"], people.ids)}


def quality_columns(plan: Plan, country: Country, sites: list[Site]) -> Columns:
    """``service_quality``: stars above or below the usual, by shop."""
    return {
        "store_code": text([site.code for site in sites]),
        "stars": text([f"{value:.4f}" for value in site_quality(plan, country)]),
    }
