"""Canaries through a whole refresh: where made-up persons, cards and keys stand afterwards.

    python -m benchmarks.canaries --seeds 20

Every record of every template that has a personal, sensitive or card field gets a feed and, per
seed, four files: one to be loaded, one without its header, one of bad rows alone, one that is torn.
Names, contents, headers, keys, wrong columns and free text hold the seed's canaries; the refresh
runs with a canary for a key. Then every column of every database is searched by SQL, and every byte
of every other file, also in UTF-16, hexadecimal and base64. Prints what stands where it may not,
by place, and how well card numbers are found in free text. Exit 1 when a canary was found, or fewer
than 99 in 100 cards, or more than one in a hundred of other long numbers taken for one.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from pathlib import Path

from dagster_project.core.home import PROJECT

sys.path.insert(0, str(PROJECT))

from dagster_project.core.feeds.cards import mask_text
from tests.privacy.canary_values import SCHEMES, card_number, spelled
from tests.privacy.sweep import Outcome, sweep

CARDS, NUMBERS = 700, 7000
RECALL, FALSE_ALARMS = 0.99, 0.01
PAIRS = (("", ""), ("paid with ", " yesterday"), ("کارت ", " بود"), ("卡号", "。"), ("Ref: ", "/2"))


def recall() -> tuple[float, dict[str, float]]:
    """Share of cards found in free text, in all and by spelling."""
    chance = random.Random(5)
    found: dict[str, list[bool]] = {}
    for number in range(CARDS):
        card = card_number(chance, *SCHEMES[number % len(SCHEMES)])
        before, after = PAIRS[number % len(PAIRS)]
        names = ("plain", "spaces", "dashes", "Persian", "full width", "in a sentence")
        for name, text in zip(names, spelled(card), strict=True):
            masked, count, _ = mask_text(f"{before}{text}{after}")
            found.setdefault(name, []).append(count == 1 and masked.count("*") == len(card) - 10)
    shares = {name: sum(hits) / len(hits) for name, hits in found.items()}
    return sum(map(sum, found.values())) / sum(map(len, found.values())), shares


def false_alarms() -> float:
    """Share of long numbers, no cards, that are taken for cards in free text."""
    chance = random.Random(6)
    alarms = 0
    for number in range(NUMBERS):
        digits = "".join(chance.choices("0123456789", k=13 + number % 7))
        alarms += mask_text(f"order {digits} sent")[1]
    return alarms / NUMBERS


def show(outcome: Outcome) -> None:
    """The figures of a sweep, and each place that holds what it may not."""
    columns = ", ".join(f"{count:,} of {name}" for name, count in outcome.columns.items())
    print(f"{outcome.seeds} seeds, {outcome.needles:,} canaries; columns searched: {columns}")
    print(f"bytes searched: {outcome.file_bytes:,}; in the vault, as meant: {outcome.vault_labels}")
    print(f"exit codes: {outcome.exit_codes}")
    for place, count in outcome.by_place().items():
        print(f"FOUND {count:>5}  {place}")
    print(f"canaries where they may not stand: {len(outcome.defects)}")


def main() -> int:
    """Exit 0 when nothing was found and the cards were."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--root", type=Path, help="where the home is made; a temporary folder")
    chosen = parser.parse_args()
    share, by_spelling = recall()
    alarms = false_alarms()
    print(f"cards found in free text: {share:.4f} of {CARDS * len(by_spelling):,}")
    for name, one in by_spelling.items():
        print(f"  {name:<15}{one:.4f}")
    print(f"other long numbers taken for cards: {alarms:.4f} of {NUMBERS:,}")
    with tempfile.TemporaryDirectory(dir=chosen.root, prefix="canaries-") as directory:
        outcome = sweep(Path(directory), range(1, chosen.seeds + 1))
    show(outcome)
    is_good = not outcome.defects and share >= RECALL and alarms <= FALSE_ALARMS
    # With nothing published, nothing of it was searched.
    return 0 if is_good and outcome.columns["published"] else 1


if __name__ == "__main__":
    sys.exit(main())
