"""How probable it is that two records are one person, by Splink and the weights of one file.

Belongs here: the weights as a Splink model, the comparison of records of one table, its bits of
evidence. Does not: where the records come from, or what a probable pair leads to (``resolve``).
Splink comes with the extra ``ml``; ``is_available`` says whether it is there.
"""

from __future__ import annotations

import logging
import math
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.core.yaml_files import read_yaml

SHIPPED = Path(__file__).with_name("matching.yaml")
FIELDS = (
    "given", "family", "given_sound", "family_sound", "birth", "decade", "city", "postcode",
    "street", "email", "phone", "number",
)  # fmt: skip


_NOTHING = "(select 0 as record_key, 0 as content_hash limit 0)"


@dataclass(frozen=True)
class Level:
    """One outcome of a comparison; ``when`` is SQL over two records, none for all the rest."""

    name: str
    when: str | None
    m: float
    u: float

    @property
    def bits(self) -> float:
        """What the outcome weighs, in bits."""
        return math.log2(self.m / self.u)


@dataclass(frozen=True)
class Model:
    """The weights of one version; ``comparisons`` by name: when it is missing, and its levels."""

    version: int
    threshold: float
    kept_from: float
    others_per_record: float
    population: int
    most_in_block: int
    blocks: Mapping[str, str]
    comparisons: Mapping[str, tuple[str, tuple[Level, ...]]]
    never: tuple[Mapping[str, str], ...]
    fingerprint: str

    @property
    def prior(self) -> float:
        """Probability that two records drawn at random are one person."""
        return min(0.5, self.others_per_record / self.population)

    def among(self, count: int) -> Model:
        """The same weights for so many records, rounded up to a power of ten."""
        return replace(self, population=10 ** max(1, math.ceil(math.log10(max(count, 1)))))

    def settings(self) -> dict[str, Any]:
        """The model as Splink's settings; nothing in it is estimated."""
        return {
            "link_type": "dedupe_only",
            "unique_id_column_name": "record_key",
            "probability_two_random_records_match": self.prior,
            "retain_matching_columns": True,
            "retain_intermediate_calculation_columns": True,
            "comparisons": [
                {
                    "output_column_name": name,
                    "comparison_description": name,
                    "comparison_levels": _splink_levels(missing, levels),
                }
                for name, (missing, levels) in self.comparisons.items()
            ],
        }


def is_available() -> bool:
    """Whether Splink is installed (``pip install 'tillhouse[ml]'``)."""
    return find_spec("splink") is not None


def load_model(path: Path = SHIPPED) -> Model:
    """The weights of a file; each comparison's last level is everything else."""
    text = path.read_text("utf-8")
    told = read_yaml(text)
    comparisons = {
        name: (
            one["missing"],
            tuple(Level(o["is"], o.get("when"), o["m"], o["u"]) for o in one["levels"]),
        )
        for name, one in told.pop("comparisons").items()
    }
    never = tuple(told.pop("never"))
    digest = sha256(text.encode()).hexdigest()[:16]
    return Model(**told, comparisons=comparisons, never=never, fingerprint=digest)


def match_records(
    connection: duckdb.DuckDBPyConnection, model: Model, records: str, *, known: str | None = None
) -> int:
    """Compare records by a table of the connection; returns how many pairs were scored.

    ``records`` has one row per record: record_key and ``FIELDS``, each text or null in one
    spelling. Two temporary tables are left: ``identity_content``, one row per record (record_key,
    content_hash, is_new: not so in ``known``, which has the first two columns), and
    ``identity_scored``, one row per pair of which one is new and that are probably one person
    (left_key < right_key, probability 0-1, outcomes in words). A pair's probability depends on its
    two records alone, so a part and the whole agree. Splink works in memory beside the attached
    file: no value of a record is written or logged.
    """
    connection.execute(_blocks(model, records))
    connection.execute(_OVERSIZE.format(most=model.most_in_block))
    connection.execute(_content(model, records, known or _NOTHING))
    with _in_memory(connection):
        connection.execute(_pairs(among_all=known is None))
        connection.execute(_COMPARED.format(fields=", ".join(FIELDS), records=records))
        connection.execute(_possible(model))
        (count,) = connection.execute("select count(*) from identity_pair").fetchone()
        scored = _score(connection, model) if count else None
        connection.execute(
            f"create or replace temp table identity_scored as {_outcomes(model, scored)}"
        )
        if scored:
            connection.execute(f"drop table {scored}")
        for table in ("identity_pair", "identity_compared"):
            connection.execute(f"drop table {table}")
    for table in ("identity_block", "identity_oversize"):
        connection.execute(f"drop table temp.{table}")
    return int(count)


def _score(connection: duckdb.DuckDBPyConnection, model: Model) -> str:
    """Have Splink score ``identity_pair``; returns the name of its table."""
    with warnings.catch_warnings():
        # A parser that Splink's own dependency finds faster ones than.
        warnings.simplefilter("ignore", DeprecationWarning)
        from splink import DuckDBAPI, Linker
    engine = DuckDBAPI(connection=connection)
    linker = Linker(engine.register("identity_compared"), model.settings(), log_level=logging.ERROR)
    linker.table_management.register_blocked_pairs_for_predict(engine.register("identity_pair"))
    scored = linker.inference.predict(
        threshold_match_probability=model.kept_from, warning_mode="never"
    )
    name: str = scored.physical_name
    return name


@contextmanager
def _in_memory(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Tables made meanwhile are the engine's own, in memory, whichever file is in use."""
    (catalogue,) = connection.execute("select current_catalog()").fetchone()
    connection.execute("use memory")
    try:
        yield
    finally:
        connection.execute(f'use "{catalogue}"')


def _splink_levels(missing: str, levels: tuple[Level, ...]) -> list[dict[str, Any]]:
    null = {"sql_condition": missing, "label_for_charts": "missing", "is_null_level": True}
    return [null] + [
        {
            "sql_condition": level.when or "ELSE",
            "label_for_charts": level.name,
            "m_probability": level.m,
            "u_probability": level.u,
        }
        for level in levels
    ]


def _blocks(model: Model, records: str) -> str:
    """One row per record and block it is in."""
    hashes = ", ".join(
        f"case when ({sql}) is not null then hash('{name}', {sql}) end"
        for name, sql in model.blocks.items()
    )
    return (
        "create or replace temp table identity_block as select record_key, block from "
        f"(select record_key, unnest([{hashes}]) as block from {records}) where block is not null"
    )


_OVERSIZE = """
create or replace temp table identity_oversize as
select block
from identity_block
group by block
having count(*) > {most}
"""


def _content(model: Model, records: str, known: str) -> str:
    """What a record is compared by: its values, and which of its blocks are too large to count."""
    fields = ", ".join(f"records.{field}" for field in FIELDS)
    return f"""
        create or replace temp table identity_content as
        with left_out as (
            select record_key, list(block order by block) as blocks
            from identity_block semi join identity_oversize using (block)
            group by record_key
        ),
        content as (
            select records.record_key, hash({fields}, left_out.blocks) as content_hash
            from {records} as records left join left_out using (record_key)
        )
        select
            content.record_key, content.content_hash,
            known.content_hash is distinct from content.content_hash as is_new
        from content left join {known} as known using (record_key)
    """


def _pairs(*, among_all: bool) -> str:
    """Pairs that share a block, as Splink takes them; blocks without a new record add none."""
    asked = "" if among_all else "semi join asked using (block)"
    return f"""
        create or replace table identity_pair as
        with asked as (
            select distinct block
            from temp.identity_block
            semi join (
                select record_key from temp.identity_content where is_new
            ) as new_record using (record_key)
        ),
        small as (
            select block, record_key, is_new
            from temp.identity_block
            {asked}
            inner join temp.identity_content using (record_key)
            anti join temp.identity_oversize using (block)
        )
        select distinct '0' as match_key, l.record_key as join_key_l, r.record_key as join_key_r
        from small as l
        inner join small as r using (block)
        where l.record_key < r.record_key and (l.is_new or r.is_new)
    """


_COMPARED = """
create or replace table identity_compared as
select record_key, {fields}
from {records}
where record_key in (
    select join_key_l from identity_pair union select join_key_r from identity_pair
)
"""


def _possible(model: Model) -> str:
    """Pairs without those that no weight makes one: most neighbours' go before they are scored."""
    sides = ", ".join(
        f"{side}.{field} as {field}_{side}" for field in FIELDS for side in ("l", "r")
    )
    names = sorted({name for one in model.never for name in one})
    gammas = "".join(f", {_outcome(model, name)} as gamma_{name}" for name in names)
    return f"""
        create or replace table identity_pair as
        with sided as (
            select match_key, join_key_l, join_key_r, {sides}
            from identity_pair
            inner join identity_compared as l on l.record_key = join_key_l
            inner join identity_compared as r on r.record_key = join_key_r
        ),
        judged as (
            select match_key, join_key_l, join_key_r {gammas} from sided
        )
        select match_key, join_key_l, join_key_r from judged where not ({_never(model)})
    """


def _outcome(model: Model, comparison: str) -> str:
    """SQL for the outcome of a comparison of ``_l`` with ``_r``, counted as Splink counts."""
    missing, levels = model.comparisons[comparison]
    cases = " ".join(
        f"when {level.when} then {_gamma(model, comparison, level.name)}"
        for level in levels
        if level.when is not None
    )
    return f"case when {missing} then -1 {cases} else 0 end"


def _never(model: Model) -> str:
    """SQL for outcomes that no weight outdoes."""
    return " or ".join(
        "(" + " and ".join(f"gamma_{c} = {_gamma(model, c, name)}" for c, name in one.items()) + ")"
        for one in model.never
    )


def _outcomes(model: Model, scored: str | None) -> str:
    """The scored pairs with what each comparison came to, in the words of the weights' file."""
    if scored is None:
        return (
            "select 0::bigint as left_key, 0::bigint as right_key, 0::double as probability, "
            "'' as outcomes limit 0"
        )
    told = ", ".join(_told(name, levels) for name, (_, levels) in model.comparisons.items())
    return (
        "select least(record_key_l, record_key_r) as left_key, "
        "greatest(record_key_l, record_key_r) as right_key, match_probability as probability, "
        f"concat_ws('; ', {told}) as outcomes from {scored} where not ({_never(model)})"
    )


def _told(comparison: str, levels: tuple[Level, ...]) -> str:
    cases = " ".join(
        f"when {len(levels) - 1 - place} then '{comparison}: {level.name} ({level.bits:+.1f})'"
        for place, level in enumerate(levels)
    )
    return f"case gamma_{comparison} {cases} end"


def _gamma(model: Model, comparison: str, name: str) -> int:
    """Splink counts a comparison's outcomes from the last, 0, upwards."""
    names = [level.name for level in model.comparisons[comparison][1]]
    return len(names) - 1 - names.index(name)
