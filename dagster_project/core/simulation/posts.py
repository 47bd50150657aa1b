"""Posts and reviews of one country, and what their authors meant.

Belongs here: who posts what about which article. Does not: the sentences (``words_posts``).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from dagster_project.core.simulation.catalogue import Catalogue
from dagster_project.core.simulation.people import PLAIN, People
from dagster_project.core.simulation.plan import Plan, Stream
from dagster_project.core.simulation.words_posts import MOODS, PLATFORMS, POSTS

POSTS_PER_CUSTOMER_YEAR = 0.5
MOOD_SHARES = (0.58, 0.17, 0.25)
STARS = {"positive": (4, 5, 5), "neutral": (3, 3, 4), "negative": (1, 1, 2)}
FOLLOWED_SHARE = 0.6
LANGUAGES = {"CN": ("zh", "zh", "zh", "en"), "IR": ("fa", "fa", "fa", "en"), "GB": ("en",)}


@dataclass(frozen=True)
class Post:
    """One post as delivered (``record``) and as meant."""

    moment: int  # seconds since 1970
    record: str  # one JSON object
    post_id: str
    person_id: str | None
    mood: str


def make_posts(
    plan: Plan, catalogue: Catalogue, people: People, midnight: np.ndarray
) -> list[Post]:
    """All posts about one country's shops, in the order of time."""
    country = people.country
    rng = plan.generator(Stream.POSTS, country.number)
    count = int(rng.poisson(people.size * POSTS_PER_CUSTOMER_YEAR * plan.days / 365))
    day = np.sort(rng.integers(0, plan.days, count))
    second = rng.integers(7 * 3600, 23 * 3600, count)
    article = rng.choice(len(catalogue.goods), count, p=catalogue.popularity)
    mood = rng.choice(len(MOODS), count, p=MOOD_SHARES)
    with_handle = np.flatnonzero(people.handle != None)  # noqa: E711 - element by element
    pick = rng.integers(0, 10**6, (count, 5)).tolist()
    sites = [site.code for site in plan.sites if site.country is country]
    ids = people.ids.to_pylist()
    found = []
    for n in range(count):
        person = None
        if with_handle.size and pick[n][0] % 100 < FOLLOWED_SHARE * 100:
            person = int(with_handle[pick[n][1] % with_handle.size])
        moment = int(midnight[day[n]] + second[n])
        where = sites[pick[n][4] % len(sites)]
        record = _write(pick[n], catalogue, int(article[n]), MOODS[mood[n]]) | _author(
            pick[n], people, person
        )
        record |= {"id": f"S{country.code}{n:07d}", "shop": where, "created": _utc(moment)}
        text = json.dumps(record, ensure_ascii=False)
        author = None if person is None else ids[person]
        found.append(Post(moment, text, str(record["id"]), author, MOODS[mood[n]]))
    return sorted(found, key=lambda post: (post.moment, post.post_id))


def _utc(moment: int) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _author(pick: list[int], people: People, person: int | None) -> dict[str, object]:
    """Handle and, of every fourth person who is followed, the e-mail address."""
    if person is None:
        return {"author": f"@guest_{pick[1]}", "mail": None}
    mail = people.emails[person, PLAIN] if pick[2] % 4 == 0 else None
    return {"author": people.handle[person], "mail": mail}


def _write(pick: list[int], catalogue: Catalogue, article: int, mood: str) -> dict[str, object]:
    """What is said about an article, where and in which language."""
    languages = LANGUAGES[catalogue.country.code]
    language = languages[pick[3] % len(languages)]
    sentences, platforms = POSTS[language][mood], PLATFORMS[language]
    good = catalogue.goods[article][{"zh": 1, "fa": 2, "en": 0}[language]]
    return {
        "channel": platforms[pick[2] % len(platforms)],
        "lang": language,
        "body": sentences[pick[4] % len(sentences)].format(good=good),
        "stars": STARS[mood][pick[0] % len(STARS[mood])],
        "sku": catalogue.codes[article],
    }
