"""How right identity is, where the truth is known: pairwise precision, recall and F1.

Belongs here: the comparison. Does not: where the truth comes from (labelled data, simulation).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import duckdb

TrueIdentifier = tuple[str, str, str, str]  # sender, identifier_kind, identifier_token, person


@dataclass(frozen=True)
class IdentityScore:
    """Counts of pairs of identifiers: found as one person, truly one person, both."""

    identifier_count: int
    found_pairs: int
    true_pairs: int
    right_pairs: int

    @property
    def precision(self) -> float:
        """Share 0–1 of the found pairs that are right; 1 where none is found."""
        return self.right_pairs / self.found_pairs if self.found_pairs else 1.0

    @property
    def recall(self) -> float:
        """Share 0–1 of the true pairs that are found; 1 where there is none."""
        return self.right_pairs / self.true_pairs if self.true_pairs else 1.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


_SCORE = """
with truth as (
    select sender, identifier_kind, identifier_token, min(person) as person
    from identity_truth
    group by all
    having count(distinct person) = 1
),
compared as (
    select
        truth.person,
        coalesce(cast(found.person_key as varchar), 'alone ' || row_number() over ()) as found
    from truth
    left join identity.person_identifier as found
        using (sender, identifier_kind, identifier_token)
),
by_found as (
    select count(*) as n
    from compared
    group by found
),
by_person as (
    select count(*) as n
    from compared
    group by person
),
by_both as (
    select count(*) as n
    from compared
    group by found, person
)
select
    (select count(*) from compared),
    (select coalesce(sum(n * (n - 1) // 2), 0) from by_found),
    (select coalesce(sum(n * (n - 1) // 2), 0) from by_person),
    (select coalesce(sum(n * (n - 1) // 2), 0) from by_both)
"""


def evaluate(
    connection: duckdb.DuckDBPyConnection, truth: Iterable[TrueIdentifier]
) -> IdentityScore:
    """Compare ``identity.person_identifier`` with the true person of each identifier.

    ``truth`` has one row per identifier and person: sender (``*`` for phone, email, card), kind,
    token, person. Identifiers of several persons are nobody's and are left out; identifiers that
    identity gave to nobody count as alone.
    """
    import pyarrow as pa

    names = ("sender", "identifier_kind", "identifier_token", "person")
    columns = list(zip(*truth, strict=True)) or [()] * len(names)
    frame = pa.table(
        {name: pa.array(values, pa.string()) for name, values in zip(names, columns, strict=True)}
    )
    connection.register("identity_truth", frame)
    try:
        counts = connection.execute(_SCORE).fetchone()
    finally:
        connection.unregister("identity_truth")
    return IdentityScore(*(int(count) for count in counts))
