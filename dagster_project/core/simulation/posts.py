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
    pick = rng.integers(0, 10**6, (count, 5))
    sites = [site for site in plan.sites if site.country is country]
    ids = people.ids()
    found = []
    for n in range(count):
        person = None
        if with_handle.size and pick[n, 0] % 100 < FOLLOWED_SHARE * 100:
            person = int(with_handle[pick[n, 1] % with_handle.size])
        author = f"@guest_{pick[n, 1]}" if person is None else people.handle[person]
        mails = person is not None and pick[n, 2] % 4 == 0
        mail = people.emails[person, PLAIN] if mails else None
        language = LANGUAGES[country.code][pick[n, 3] % len(LANGUAGES[country.code])]
        chosen = MOODS[mood[n]]
        sentences = POSTS[language][chosen]
        good = catalogue.goods[article[n]][{"zh": 1, "fa": 2, "en": 0}[language]]
        moment = int(midnight[day[n]] + second[n])
        platforms = PLATFORMS[language]
        record = {
            "id": f"S{country.code}{n:07d}",
            "channel": platforms[pick[n, 2] % len(platforms)],
            "author": author,
            "mail": mail,
            "created": datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "lang": language,
            "body": sentences[pick[n, 4] % len(sentences)].format(good=good),
            "stars": STARS[chosen][pick[n, 0] % 3],
            "sku": catalogue.codes[article[n]],
            "shop": sites[pick[n, 4] % len(sites)].code,
        }
        found.append(
            Post(
                moment, json.dumps(record, ensure_ascii=False), str(record["id"]),
                None if person is None else ids[person], chosen,
            )
        )  # fmt: skip
    return sorted(found, key=lambda post: (post.moment, post.post_id))
