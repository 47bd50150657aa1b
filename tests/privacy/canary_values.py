"""Made-up personal values, cards and secrets of one seed, each to be recognised wherever it stands.

No number or name belongs to anybody: cards are random digits behind real prefixes with a right
check digit, domains end in ``.example``, names are nonsense with the word canary in their script.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from dagster_project.core.feeds.cards import passes_luhn
from dagster_project.core.home import PACKAGE
from dagster_project.core.keys import MasterKey

# Prefix and length of one scheme each: Visa, Mastercard, American Express, UnionPay, JCB, Mir,
# Iran's banks.
SCHEMES = (
    ("4", 16),
    ("2221", 16),
    ("37", 15),
    ("62", 19),
    ("3530", 16),
    ("2202", 16),
    ("603799", 16),
)
PERSIAN = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")
FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")
LATIN, CHINESE = "abcdefghijklmnopqrstuvwxyz", "丙丑乒乓卯厄吏妃弗昙沐炯"
FARSI = "بپتثجچحخدرزژسشصطعفقکگلمن"
# Purposes for which keys are derived from the master key, as the code spells them.
PURPOSE = re.compile(r'^[A-Z_]*PURPOSE = "([^"]+)"$|\.derive\("([^"]+)"\)', re.MULTILINE)


@dataclass(frozen=True)
class Canaries:
    """Every value of one seed; what kind each is, by the value."""

    seed: int
    personal: dict[str, str] = field(default_factory=dict)  # value → kind
    cards: tuple[str, ...] = ()
    secrets: dict[str, str] = field(default_factory=dict)  # verification value, track, PIN

    def of(self, kind: str) -> str:
        """The personal value or secret of a kind."""
        return next(v for v, k in (self.personal | self.secrets).items() if k == kind)


def card_number(chance: random.Random, prefix: str, length: int) -> str:
    """A number of a scheme with a right check digit."""
    body = prefix + "".join(chance.choices("0123456789", k=length - len(prefix) - 1))
    return next(body + last for last in "0123456789" if passes_luhn(body + last))


def canaries(seed: int) -> Canaries:
    """The values of a seed; two seeds share none."""
    chance = random.Random(seed * 7919 + 11)

    def signs(alphabet: str, count: int) -> str:
        return "".join(chance.choices(alphabet, k=count))

    cards = tuple(card_number(chance, *scheme) for scheme in SCHEMES)
    named = signs(LATIN, 7)
    personal = {
        f"Canary {named.title()}": "name/Latin",
        f"金丝雀{signs(CHINESE, 4)}": "name/Chinese",
        f"قناری {signs(FARSI, 7)}": "name/Persian",
        f"canary.{named}@post{seed}.example": "email",
        f"+86139{signs('0123456789', 8)}": "phone",
        f"{chance.randint(1, 99)} Canary Lane {signs(LATIN, 6)}": "address",
        f"19{chance.randint(2, 9):02d}-0{chance.randint(1, 9)}-{chance.randint(10, 28)}": "birth",
        f"CNRMEMBER{signs('0123456789', 8)}": "member",
        f"2001:db8::{signs('0123456789abcdef', 4)}:{signs('0123456789abcdef', 4)}": "ip",
    }
    discretionary = f"99{signs('0123456789', 11)}"
    secrets = {
        f"CVVCANARY{signs('0123456789', 6)}": "cvv",
        f"%B{cards[0]}^CANARY/{named.upper()}^2912101{discretionary}?": "track 1",
        f";{cards[0]}=2912101{discretionary}?": "track 2",
        f"{signs('0123456789ABCDEF', 16)}": "pin block",
        f"0{signs('0123456789', 2)}/2{signs('0123456789', 1)} CNREXPIRY": "expiry",
    }
    return Canaries(seed, personal, cards, secrets)


def own_token(one: Canaries, domain: str) -> str:
    """A value of a token domain that has no shape of its own."""
    chance = random.Random(f"{one.seed}/{domain}")
    return f"CNR{domain.replace('_', '').upper()}{chance.randrange(10**9):09d}"


def spelled(card: str) -> Iterator[str]:
    """A card number as senders write it."""
    groups = [card[place : place + 4] for place in range(0, len(card), 4)]
    yield from (card, " ".join(groups), "-".join(groups), card.translate(PERSIAN))
    yield from (card.translate(FULL_WIDTH), f"card {card} declined")


def purposes() -> set[str]:
    """Every purpose of a derived key, domains of tokens apart."""
    told = (path.read_text("utf-8") for path in PACKAGE.rglob("*.py"))
    return {first or second for text in told for first, second in PURPOSE.findall(text)}


def key_forms(key: MasterKey, domains: Iterator[str] | list[str]) -> dict[bytes, str]:
    """The master key and every key derived from it, as bytes."""
    found = {key.secret: "master key"}
    found |= {key.derive(purpose): f"key of {purpose}" for purpose in purposes()}
    found |= {key.derive(f"token/{domain}"): f"key of token/{domain}" for domain in domains}
    return found
