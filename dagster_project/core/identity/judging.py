"""How right matching is on labelled records: deterministic alone, and with probable pairs.

Belongs here: the comparison on a set of records whose persons are known. Does not: the warehouse's
own identities against a truth (``evaluate``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import duckdb
import numpy as np

from dagster_project.core.identity import clusters, links, matching, normalise
from dagster_project.core.identity.evaluate import IdentityScore
from dagster_project.core.identity.labelled import FIELDS, LabelledRecord

# What says by itself who somebody is, unless more records have it than one person can.
EXACT = ("number", "email", "phone")
MOST_EXACT = links.HUB_LIMITS["email"]


def judge(
    records: Sequence[LabelledRecord], model: matching.Model | None
) -> dict[str, IdentityScore]:
    """Scores by pairs of records: ``deterministic``, and ``both`` where there is a model.

    The prior is that of a set of this size. A pair of records is found where links lead from one
    to the other.
    """
    with duckdb.connect() as connection:
        _put(connection, records)
        exact = connection.execute(_exact_pairs()).fetchnumpy()
        persons = [record.person for record in records]
        scores = {"deterministic": _score(persons, exact["l"], exact["r"])}
        if model is not None:
            sized = model.among(len(records))
            matching.match_records(connection, sized, "labelled")
            probable = connection.execute(
                "select left_key as l, right_key as r from identity_scored where probability >= $t",
                {"t": sized.threshold},
            ).fetchnumpy()
            ends = [np.concatenate((exact[side], probable[side])) for side in ("l", "r")]
            scores["both"] = _score(persons, *ends)
    return scores


def _put(connection: duckdb.DuckDBPyConnection, records: Sequence[LabelledRecord]) -> None:
    import pyarrow as pa

    columns = {field: [record.values[field] for record in records] for field in FIELDS}
    columns |= {f"{part}_sound": list(map(normalise.sound, columns[part])) for part in
                ("given", "family")}  # fmt: skip
    columns["decade"] = [birth and birth[:3] for birth in columns["birth"]]
    frame = pa.table(
        {"record_key": pa.array(range(len(records)), pa.int64())}
        | {name: pa.array(values, pa.string()) for name, values in columns.items()}
    )
    connection.register("labelled_frame", frame)
    connection.execute("create temp table labelled as select * from labelled_frame")
    connection.unregister("labelled_frame")


def _exact_pairs() -> str:
    """Each record and the first that has the same number, e-mail or phone."""
    return " union ".join(
        f"select record_key as l, min(record_key) over (partition by {field}) as r from labelled "
        f"where {field} is not null qualify count(*) over (partition by {field}) <= {MOST_EXACT}"
        for field in EXACT
    )


def _score(persons: Sequence[str], left: np.ndarray, right: np.ndarray) -> IdentityScore:
    found = clusters.components(
        np.arange(len(persons)), np.asarray(left, np.int64), np.asarray(right, np.int64)
    ).tolist()
    both = zip(found, persons, strict=True)
    return IdentityScore(len(persons), _pairs(found), _pairs(persons), _pairs(both))


def _pairs(groups: Iterable[object]) -> int:
    return sum(n * (n - 1) // 2 for n in Counter(groups).values())
