"""The people of one country: who they are, what they show of themselves, when they stay away.

Belongs here: persons, their identifiers in every spelling they use, their member accounts. Does
not: what they buy (``tills``, ``web``) or the files of the club (``club``).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa

from dagster_project.core.simulation.plan import COUNTRIES, Country, Plan, Stream
from dagster_project.core.simulation.words_people import (
    CARD_BINS,
    GIVEN_EN,
    GIVEN_FA,
    GIVEN_ZH,
    MAIL_DOMAINS,
    MOBILE,
    SHORT_EN,
    STREETS,
    SURNAMES_EN,
    SURNAMES_FA,
    SURNAMES_ZH,
)

# How one person's phone, e-mail or name is spelled; the same order in all three arrays.
SPELLINGS = ("plain", "formal", "loose", "script", "typo")
PLAIN, FORMAL, LOOSE, SCRIPT, TYPO = range(len(SPELLINGS))
# Share of contacts in digits or letters of another script, by fault level.
SCRIPT_SHARE = {"none": 0.0, "light": 0.03, "heavy": 0.12}
TYPO_SHARE = 0.02  # of contacts typed by hand, at every level: a part of the truth about people
CHURN_SHARE = 0.18
NEVER = 10**6  # a day that does not come
HUB_SHARE = 0.004  # members for whom the cashier typed the shop's own phone
TIERS = ("basic", "silver", "gold")
_FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")
_PERSIAN = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")
_ARABIC_LETTERS = str.maketrans("یک", "يك")


@dataclass(frozen=True)
class Accounts:
    """Member accounts; a person may have none, one or two."""

    number: np.ndarray  # object: the number on the card
    person: np.ndarray  # place of the person in People
    joined_day: np.ndarray
    spelling: np.ndarray  # of phone, e-mail and name on the form
    is_hub_phone: np.ndarray  # the form has the shop's phone instead of the member's


@dataclass(frozen=True)
class People:
    """Persons of one country, all arrays by person unless said otherwise."""

    country: Country
    first_number: int  # person ids are p<first_number + place>
    home: np.ndarray  # place of the home shop in the plan's sites
    visits: np.ndarray  # relative frequency
    web: np.ndarray  # relative frequency online, 0 for those who never do
    from_day: np.ndarray  # first day they buy
    churn_day: np.ndarray  # first day they no longer buy, NEVER for those who stay
    names: np.ndarray  # object, person × spelling
    phones: np.ndarray  # object, person × spelling
    emails: np.ndarray  # object, person × spelling
    streets: np.ndarray  # object
    town: np.ndarray  # object
    gender: np.ndarray  # object: F, M, O or none
    birth_year: np.ndarray
    card: np.ndarray  # object: card number, None for those without
    card_bin: np.ndarray  # place in CARD_BINS of the country, -1 without
    other_cards: np.ndarray  # object: cards of people who are not followed
    other_bins: np.ndarray
    cookies: np.ndarray  # object, person × 3
    handle: np.ndarray  # object: name in social channels, None for most
    account: np.ndarray  # place of the first account, -1 for none
    accounts: Accounts

    @property
    def size(self) -> int:
        """Number of persons."""
        return int(self.home.size)

    @property
    def hub_phone(self) -> str:
        """The phone that cashiers type when a member gives none."""
        return f"{self.phones[0, PLAIN][:-4]}0000"

    @cached_property
    def ids(self) -> pa.Array:
        """Person ids, unique over all countries."""
        return pa.array([f"p{self.first_number + n:07d}" for n in range(self.size)])

    @cached_property
    def club_numbers(self) -> pa.Array:
        """Numbers of the member accounts."""
        return pa.array(self.accounts.number, type=pa.string())


def luhn(first_15: str) -> str:
    """A 16-digit card number that passes the Luhn check."""
    total = sum(
        sum(divmod(int(digit) * (2 if place % 2 == 0 else 1), 10))
        for place, digit in enumerate(first_15)
    )
    return f"{first_15}{-total % 10}"


def make_people(plan: Plan, country: Country) -> People:
    """Draw the people of a country."""
    rng = plan.generator(Stream.PEOPLE, country.number)
    count = plan.country_customers(country)
    shops = plan.shops(country)
    sizes = np.array([shop.size for shop in shops])
    home = np.array([shop.number for shop in shops])[
        rng.choice(len(shops), count, p=sizes / sizes.sum())
    ]
    visits = rng.gamma(1.6, 1.0, count) + 0.05
    from_day = np.where(rng.random(count) < 0.85, -1, rng.integers(0, plan.days, count))
    churns = rng.random(count) < CHURN_SHARE
    # Nobody leaves in the first tenth of the run: before leaving they are seen.
    churn_day = np.where(churns, rng.integers(plan.days // 10, plan.days, count), NEVER)
    churn_day = np.where(churn_day <= from_day, NEVER, churn_day)
    words = _spell(rng, country, count)
    site_town = {shop.number: shop.city for shop in shops}
    cards, bins = _cards(rng, country, count, count // 2 + 50)
    accounts, account = _accounts(rng, plan, country, from_day)
    first = sum(plan.country_customers(c) for c in COUNTRIES[: country.number])
    return People(
        country=country, first_number=first, home=home, visits=visits,
        web=np.where(rng.random(count) < 0.55, visits * rng.gamma(2.0, 0.5, count), 0.0),
        from_day=from_day, churn_day=churn_day, names=words[0], phones=words[1],
        emails=words[2], streets=words[3], town=_objects(site_town[int(h)] for h in home),
        gender=_objects(rng.choice(["F", "M", "O", None], p=[0.48, 0.44, 0.02, 0.06], size=count)),
        birth_year=rng.integers(1940, 2001, count), card=cards[:count], card_bin=bins[:count],
        other_cards=cards[count:], other_bins=bins[count:],
        cookies=_cookies(country, count), handle=_handles(rng, words[2]),
        account=account, accounts=accounts,
    )  # fmt: skip


def _objects(values: Iterable[object]) -> np.ndarray:
    listed = list(values)
    found = np.empty(len(listed), dtype=object)
    found[:] = listed
    return found


def _scattered(rng: np.random.Generator, count: int, space: int) -> np.ndarray:
    """``count`` different numbers below ``space`` in no visible order."""
    stride = 2 * int(rng.integers(space // 5, space // 3)) + 1
    while np.gcd(stride, space) != 1:
        stride += 2
    return (np.arange(count, dtype=np.int64) * stride + int(rng.integers(space))) % space


def _spell(
    rng: np.random.Generator, country: Country, count: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    names, phones, emails = (np.empty((count, len(SPELLINGS)), dtype=object) for _ in range(3))
    prefixes = MOBILE[country.code]
    digits = 11 - len(prefixes[0])
    numbers = _scattered(rng, count, 10**digits)
    streets = STREETS[country.code]
    picks = rng.integers(0, 10**6, (count, 4))
    place = np.empty(count, dtype=object)
    for n in range(count):
        name, reading = _name(country, picks[n])
        names[n] = name
        phone = f"{prefixes[n % len(prefixes)]}{int(numbers[n]):0{digits}d}"
        phones[n] = _phone_spellings(country, phone, int(picks[n, 2]))
        domain = MAIL_DOMAINS[int(picks[n, 3]) % len(MAIL_DOMAINS)]
        emails[n] = _email_spellings(f"{reading}{country.code.lower()}{n}", domain)
        street = streets[int(picks[n, 3]) % len(streets)]
        house = int(picks[n, 2]) % 180 + 1
        place[n] = f"{house} {street}" if country.code == "GB" else f"{street}{house}"
    return names, phones, emails, place


def _name(country: Country, picks: np.ndarray) -> tuple[list[str], str]:
    a, b = int(picks[0]), int(picks[1])
    if country.code == "CN":
        surname, given = SURNAMES_ZH[a % len(SURNAMES_ZH)], GIVEN_ZH[b % len(GIVEN_ZH)]
        plain, reading = surname[0] + given[0], f"{given[1]}.{surname[1]}"
        latin = f"{given[1].title()} {surname[1].title()}"
        return [plain, latin, f"{surname[0]} {given[0]}", f"{plain}　", plain[::-1]], reading
    if country.code == "IR":
        surname, given = SURNAMES_FA[a % len(SURNAMES_FA)], GIVEN_FA[b % len(GIVEN_FA)]
        plain, reading = f"{given[0]} {surname[0]}", f"{given[1]}.{surname[1]}"
        latin = f"{given[1].title()} {surname[1].title()}"
        joined = f"{given[0]}\u200c{surname[0]}"
        return [plain, latin, joined, plain.translate(_ARABIC_LETTERS), plain[:-1]], reading
    surname_en, given_en = SURNAMES_EN[a % len(SURNAMES_EN)], GIVEN_EN[b % len(GIVEN_EN)]
    plain = f"{given_en} {surname_en}"
    short = f"{SHORT_EN.get(given_en, given_en)} {surname_en}"
    reading = "".join(c for c in f"{given_en}.{surname_en}".lower() if c.isalpha() or c == ".")
    typo = plain[:2] + plain[3] + plain[2] + plain[4:]
    return [plain, f"{surname_en}, {given_en}", short, plain.upper(), typo], reading


def _phone_spellings(country: Country, phone: str, pick: int) -> list[str]:
    code = {"CN": "86", "IR": "98", "GB": "44"}[country.code]
    own = phone.removeprefix("0")
    spaced = f"{phone[:4]} {phone[4:7]} {phone[7:]}"
    script = phone.translate(_PERSIAN if country.code == "IR" else _FULL_WIDTH)
    if country.code == "GB":
        script = f"00{code}{own}"
    # Two neighbouring digits change places; where they are equal the last digit is wrong.
    at = 5 + pick % 4
    swapped = phone[:at] + phone[at + 1] + phone[at] + phone[at + 2 :]
    wrong = swapped if swapped != phone else phone[:-1] + str((int(phone[-1]) + 1) % 10)
    return [phone, f"+{code} {own[:3]} {own[3:]}", spaced, script, wrong]


def _email_spellings(local: str, domain: str) -> list[str]:
    plain = f"{local}@{domain}"
    return [plain, plain.upper(), f"{local}+shop@{domain}", f" {plain}", plain[1:]]


def _cards(
    rng: np.random.Generator, country: Country, count: int, others: int
) -> tuple[np.ndarray, np.ndarray]:
    bins = CARD_BINS[country.code]
    kind = rng.integers(0, len(bins), count + others)
    kind[:count] = np.where(rng.random(count) < 0.7, kind[:count], -1)
    numbers = _scattered(rng, count + others, 10**9)
    cards = _objects(
        luhn(f"{bins[k][0]}{int(number):09d}") if k >= 0 else None
        for k, number in zip(kind, numbers, strict=True)
    )
    return cards, kind


def _cookies(country: Country, count: int) -> np.ndarray:
    return np.array(
        [[f"c{country.code.lower()}{n:07x}{d}" for d in "abc"] for n in range(count)], dtype=object
    ).reshape(count, 3)


def _handles(rng: np.random.Generator, emails: np.ndarray) -> np.ndarray:
    talks = rng.random(len(emails)) < 0.15
    return _objects(
        f"@{mail.split('@')[0].replace('.', '_')}" if says else None
        for mail, says in zip(emails[:, PLAIN], talks, strict=True)
    )


def draw_spelling(
    rng: np.random.Generator, plan: Plan, count: int, hand: float = TYPO_SHARE
) -> np.ndarray:
    """A spelling for each of ``count`` forms filled in by hand."""
    script = SCRIPT_SHARE[plan.faults]
    shares = [0.62 - script - hand, 0.18, 0.20, script, hand]
    return rng.choice(len(SPELLINGS), count, p=np.array(shares) / sum(shares))


def _accounts(
    rng: np.random.Generator, plan: Plan, country: Country, from_day: np.ndarray
) -> tuple[Accounts, np.ndarray]:
    count = from_day.size
    first = np.flatnonzero(rng.random(count) < 0.72)
    second = first[rng.random(first.size) < 0.04]  # forgot the first card and joined again
    person = np.concatenate([first, second])
    before = -rng.integers(1, 900, person.size)
    joined = np.where(from_day[person] < 0, before, from_day[person])
    joined[first.size :] = rng.integers(0, plan.days, second.size)
    joined[first.size :] = np.maximum(joined[first.size :], from_day[second])
    numbers = _scattered(rng, person.size, 10**7)
    spelling = draw_spelling(rng, plan, person.size)
    account = np.full(count, -1)
    account[first] = np.arange(first.size)
    return (
        Accounts(
            number=_objects(f"L{country.number + 1}{int(n):07d}" for n in numbers),
            person=person, joined_day=joined, spelling=spelling,
            is_hub_phone=rng.random(person.size) < HUB_SHARE,
        ),
        account,
    )  # fmt: skip
