"""Partners: to whom extracts are given, for what, until when, and how coarse.

Belongs here: the entries of the policy file (``audiences.yaml``) that name a recipient. Does not:
making an extract. All four of recipient, purpose, region and expiry must be stated.
"""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from dagster_project.core.home import Home
from dagster_project.core.publishing.policy import RECIPIENT, first_problem, read_policies
from dagster_project.core.sharing.anonymity import SENSITIVE
from dagster_project.core.sharing.errors import SharingError

COUNTRY = r"^[A-Z]{2}$"
SMALLEST_GROUP = 11
FEWEST_VALUES = 2


class Partner(BaseModel):
    """One recipient of extracts."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    description: str = ""
    recipient: str = Field(min_length=1)
    purpose: str = Field(min_length=1)
    region: str = Field(pattern=COUNTRY)  # where the data will be: ISO 3166
    customers_of: tuple[str, ...] = Field(min_length=1)  # countries whose customers are in it
    cross_border_basis: str = ""  # what permits customers of other countries than the region
    expires_on: date  # the last day on which an extract is made or may be used
    smallest_group: int = Field(default=SMALLEST_GROUP, ge=SMALLEST_GROUP)
    fewest_values: int = Field(default=FEWEST_VALUES, ge=FEWEST_VALUES)
    # What the purpose needs of what nobody should learn of a person, the most important one first.
    tells: tuple[Literal["favourite_department", "value_tier"], ...] = SENSITIVE

    @model_validator(mode="after")
    def _border(self) -> Partner:
        abroad = sorted(set(self.customers_of) - {self.region})
        if abroad and not self.cross_border_basis:
            raise ValueError(
                f"customers of {', '.join(abroad)} would leave for {self.region}: "
                "state a cross_border_basis or leave them out"
            )
        return self


def load_partners(home: Home) -> dict[str, Partner]:
    """Every partner by name. Raises SharingError naming file, partner and what does not fit."""
    given, origin = read_policies(home)
    partners = {}
    for name, settings in given.items():
        if RECIPIENT not in settings:
            continue
        try:
            partners[name] = Partner(**{**settings, "name": name})
        except ValidationError as error:
            problem = first_problem(error)
            raise SharingError(f"{origin[name]}: {name}: {problem}") from error
    return partners


def partner_for(home: Home, name: str, today: date) -> Partner:
    """The partner of that name; raises SharingError where there is none, or its term is over."""
    known = load_partners(home)
    if name not in known:
        named = ", ".join(sorted(known)) or "none"
        raise SharingError(f"unknown partner {name!r}; known in audiences.yaml: {named}")
    if known[name].expires_on < today:
        raise SharingError(f"sharing with {name} ended on {known[name].expires_on}")
    return known[name]
