"""What is forecast: one YAML file each, found by scan of ``dagster_project/forecasts``.

Belongs here: the shape of such a file, and telling all that is wrong with some. Does not: reading
the series from the star (``reading``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from dagster_project.core.quality.known_columns import Known
from dagster_project.core.quality.places import Document, Place, Wrong, near, told

FORECASTS = Path(__file__).parents[2] / "forecasts"
IDENTIFIER = r"^[a-z][a-z0-9_]*$"
MART = r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$"

Dimension = Literal["banner", "channel", "store", "department", "product", "film"]
Regressor = Literal["promotion", "weeks_since_start", "programme"]
# The column of the source by which it is told to which member a row belongs.
COLUMN_OF: Mapping[str, str] = {
    "banner": "store_durable_key",
    "channel": "channel_key",
    "store": "store_durable_key",
    "department": "product_key",
    "product": "product_durable_key",
    "film": "film_key",
}


class ForecastError(Exception):
    """Forecasts are declared wrongly; a line for each mistake, with file, line and place."""

    def __init__(self, mistakes: Iterable[str]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(self.mistakes))


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Least(_Strict):
    """What a series needs to be one; others are added up in the rest of their parent."""

    selling_days: int = Field(default=1, ge=1)  # with an amount above 0, in all of its history
    recent_days: int | None = Field(default=None, ge=1)  # the last sale is not older than this


class Inventory(_Strict):
    """What stock levels go by where the star gives no lead times."""

    lead_days: int = Field(default=7, ge=0, le=180)  # from order to shelf
    review_days: int = Field(default=7, ge=1, le=90)  # from one order to the next
    service_level: float = Field(default=0.98, gt=0.5, lt=1)  # share of the demand that is met


class Level(_Strict):
    """Series cut by the same dimensions."""

    level: str = Field(pattern=IDENTIFIER)
    by: tuple[Dimension, ...]
    set: Literal["smooth", "intermittent"]
    least: Least = Least()
    most: int | None = Field(default=None, ge=1)  # the ones that sell on the most days
    inventory: Inventory | None = None


class Definition(_Strict):
    """One forecast: what of which mart, for which series, how far ahead."""

    name: str = Field(alias="forecast", pattern=IDENTIFIER)
    description: str = Field(min_length=10)
    source: str = Field(pattern=MART)
    measure: str = Field(pattern=IDENTIFIER)
    unit: Literal["reporting_currency", "units", "tickets"]
    date: str = Field(pattern=IDENTIFIER)
    grain: Literal["day"]
    series: tuple[Level, ...] = Field(min_length=1)
    horizon_days: int = Field(default=28, ge=7, le=91)
    windows: int = Field(default=6, ge=3, le=26)
    events: Literal["store_countries", "none"] = "store_countries"
    regressors: tuple[Regressor, ...] = ()
    models: tuple[str, ...] | None = None  # None: those that suit the set

    @model_validator(mode="after")
    def _sound(self) -> Definition:
        if found := list(_wrong_content(self.model_dump(by_alias=True))):
            raise ValueError("; ".join(wrong.message for wrong in found))
        return self

    def level(self, name: str) -> Level:
        """The level of that name; KeyError where there is none."""
        return {one.level: one for one in self.series}[name]


class _File:
    """One file, read: its definition, or what is wrong with it."""

    def __init__(self, path: Path, shown: str) -> None:
        self.definition: Definition | None = None
        self._shown = shown
        self._found: list[tuple[int, str]] = []
        self._document: Document | None = None
        try:
            self._document = Document(path.read_text("utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            self._found.append(_unreadable(error))
            return
        for line, place in self._document.repeated:
            self._found.append((line, f"{told(place)}: the key is given twice"))
        self._validate(path.stem)

    @property
    def mistakes(self) -> list[str]:
        """A line for each: file, line, place, what is wrong."""
        return [f"{self._shown}:{line}: {message}" for line, message in sorted(self._found)]

    def tell(self, wrongs: Iterable[Wrong]) -> None:
        """Keep mistakes with their lines."""
        for wrong in wrongs:
            line = self._document.line(wrong) if self._document else 1
            place = f"{told(wrong.place)}: " if wrong.place else ""
            self._found.append((line, f"{place}{wrong.message}"))

    def _validate(self, stem: str) -> None:
        content = self._document.content if self._document else None
        try:
            self.definition = Definition.model_validate(content)
        except ValidationError as error:
            self.tell(_wrong_fields(error))
        if not isinstance(content, dict):
            return
        if self.definition is None:
            self.tell(_wrong_content(content))
        name = content.get("forecast")
        if isinstance(name, str) and name != stem:
            self.tell([Wrong(("forecast",), f"{name!r} must be the file's name, {stem}")])


def load_definitions(
    directory: Path = FORECASTS, known: Known | None = None
) -> tuple[Definition, ...]:
    """Every ``<forecast>.yaml`` of a directory, by name.

    With ``known`` marts, source and columns are held against them. Raises ForecastError with a
    line for each mistake of each file: file, line, place, what is wrong, what was probably meant.
    """
    files = []
    for path in sorted(p for p in directory.rglob("*") if p.suffix in {".yaml", ".yml"}):
        file = _File(path, f"{directory.name}/{path.relative_to(directory).as_posix()}")
        if path.parent != directory or path.suffix != ".yaml":
            file.tell([Wrong((), f"a forecast is {directory.name}/<forecast>.yaml")])
        if known is not None and file.definition is not None:
            file.tell(_wrong_columns(file.definition, known))
        files.append(file)
    if mistakes := [mistake for file in files for mistake in file.mistakes]:
        raise ForecastError(mistakes)
    return tuple(file.definition for file in files if file.definition is not None)


def _wrong_columns(definition: Definition, known: Known) -> Iterator[Wrong]:
    """What of a definition the star does not have."""
    schema, _, table = definition.source.partition(".")
    columns = known.get((schema, table))
    if columns is None:
        hint = near(definition.source, map(".".join, known))
        yield Wrong(("source",), f"nobody makes {definition.source}{hint}")
    if not columns:  # the mart exists, no more is known
        return
    for key in ("measure", "date"):
        column = getattr(definition, key)
        if column not in columns:
            hint = near(column, columns)
            yield Wrong((key,), f"{definition.source} has no column {column}{hint}")
    for number, level in enumerate(definition.series):
        for place, dimension in enumerate(level.by):
            if COLUMN_OF[dimension] not in columns:
                lacking = f"{definition.source} has no {COLUMN_OF[dimension]}"
                yield Wrong(("series", number, "by", place), f"{lacking} to cut by {dimension}")


def _wrong_content(content: Mapping[str, Any]) -> Iterator[Wrong]:
    """What is wrong with a definition beyond the type of each of its keys."""
    levels = content.get("series")
    if isinstance(levels, list | tuple):
        yield from _wrong_levels([one if isinstance(one, dict) else {} for one in levels])
    yield from _wrong_models(content.get("models"))


def _wrong_levels(levels: list[dict[str, Any]]) -> Iterator[Wrong]:
    names: set[str] = set()
    cuts: dict[frozenset[str], str] = {}
    for number, one in enumerate(levels):
        place: Place = ("series", number)
        name, by = str(one.get("level")), one.get("by")
        if name in names:
            yield Wrong((*place, "level"), f"two levels named {name}")
        names.add(name)
        if not isinstance(by, list | tuple):
            continue
        cut = frozenset(str(dimension) for dimension in by)
        if len(cut) < len(by):
            yield Wrong((*place, "by"), "a dimension is given twice")
        if cut in cuts:
            yield Wrong((*place, "by"), f"{name} is cut like {cuts[cut]}")
        cuts.setdefault(cut, name)
        if {"banner", "store"} <= cut:
            yield Wrong((*place, "by"), "a store is of one banner: leave banner out")
        if one.get("inventory") is not None and not {"store", "product"} <= cut:
            wanted = "stock levels are of products in stores: by [store, product]"
            yield Wrong((*place, "inventory"), wanted)


def _wrong_models(models: Any) -> Iterator[Wrong]:
    if not isinstance(models, list | tuple):
        return
    # Models bring their libraries along: not for every definition.
    from dagster_project.core.forecasting.engine.models import BLEND, BLENDED, COMPARED, WORDS

    if not models:
        yield Wrong(("models",), "name a model, or leave the key out for those that suit")
    for number, name in enumerate(models):
        if name not in WORDS:
            yield Wrong(("models", number), f"no model {name}{near(name, WORDS)}")
    needed = COMPARED | (BLENDED if BLEND in models else set())
    if missing := sorted(needed - set(models)):
        yield Wrong(("models",), f"{', '.join(missing)} must be among them: others need it")


def _wrong_fields(error: ValidationError) -> Iterator[Wrong]:
    """Pydantic's own complaints; what the validator here says is said by ``_wrong_content``."""
    for problem in error.errors():
        if problem["type"] != "value_error":
            yield _wrong_field(problem)


def _wrong_field(problem: ErrorDetails) -> Wrong:
    place: Place = problem["loc"]
    if problem["type"] == "extra_forbidden":
        names = _keys_at(place[:-1])
        hint = near(place[-1], names) or f"; there are {', '.join(sorted(names))}"
        return Wrong(place, f"unknown key{hint}")
    if problem["type"] == "missing":
        return Wrong(place[:-1], f"{place[-1]} is missing")
    if problem["type"] == "literal_error":
        allowed = re.findall(r"'([^']+)'", str(problem.get("ctx", {}).get("expected")))
        hint = near(problem["input"], allowed) or f"; there are {', '.join(allowed)}"
        return Wrong(place, f"{problem['input']!r} is not known{hint}")
    if problem["type"] in {"model_type", "model_attributes_type"}:
        return Wrong(place, "expected keys and values")
    return Wrong(place, problem["msg"][:1].lower() + problem["msg"][1:])


def _keys_at(place: Place) -> set[str]:
    """The keys that may stand at a place."""
    inner: Mapping[str, type[BaseModel]] = {"least": Least, "inventory": Inventory}
    model: type[BaseModel] = Definition if not place else inner.get(str(place[-1]), Level)
    return {field.alias or name for name, field in model.model_fields.items()}


def _unreadable(error: Exception) -> tuple[int, str]:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or " ".join(str(error).split())
    return (mark.line + 1 if mark else 1), problem
