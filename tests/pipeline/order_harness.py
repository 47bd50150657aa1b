"""Deliver a made month in many random orders and splits; every one must end in the same marts.

    python tests/pipeline/order_harness.py --orders 20

The month is that of test_incremental (sales, returns, members, the web, late master data) and that
of test_commerce_increments (stock, bills, prices, prepaid cards, points, coupons) together. The
tests try one order of each; this tries as many as asked for, each from an empty warehouse, in two
to five parts with a build after each and one delivery twice.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parents[1]), str(HERE.parent / "dbt"), str(HERE)]

from mart_content import content, differences
from one_month import DELIVERIES, Delivery
from small_warehouse import SmallWarehouse
from test_commerce_increments import DELIVERIES as COMMERCE
from test_incremental import refresh

MONTH = [*DELIVERIES, *COMMERCE]
PARTS = (2, 5)


def split(deliveries: list[Delivery], seed: int) -> list[list[Delivery]]:
    """The deliveries in a random order, one of them twice, cut into parts at random places."""
    chance = random.Random(seed)
    shuffled = chance.sample(deliveries, len(deliveries))
    shuffled.insert(chance.randrange(len(shuffled)), chance.choice(shuffled))
    cuts = sorted(chance.sample(range(1, len(shuffled)), chance.randint(*PARTS) - 1))
    return [shuffled[a:b] for a, b in zip([0, *cuts], [*cuts, len(shuffled)], strict=True)]


def main() -> int:
    """Print each order's outcome; 1 when one of them ends otherwise."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--orders", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0, help="of the first order")
    chosen = parser.parse_args()
    differing = 0
    with tempfile.TemporaryDirectory(prefix="orders-") as directory:
        small = SmallWarehouse(Path(directory))
        refresh(small, MONTH)
        once = content(small)
        rows = sum(sum(counted.values()) for counted in once.values())
        print(f"{len(MONTH)} deliveries at once: {len(once)} marts, {rows:,} rows", flush=True)
        for seed in range(chosen.seed, chosen.seed + chosen.orders):
            parts = split(MONTH, seed)
            small.empty()
            for part in parts:
                refresh(small, part)
            found = differences(content(small), once)
            differing += bool(found)
            sizes = "+".join(str(len(part)) for part in parts)
            told = f"differs in {', '.join(found)}" if found else "equal"
            print(f"order {seed}: {sizes} deliveries: {told}", flush=True)
    print(f"{chosen.orders - differing} of {chosen.orders} orders end in the marts of one build")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
