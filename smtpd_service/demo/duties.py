"""What people of each agency do in a week: sentences made of the parts in `duties.tsv`.

A row there is an agency (`*` for any), then verbs, objects and tails, alternatives parted by `|`.
In them `{n}` is a number of cases, `{m}` a few, `{k}` thousands, `{pct}` an accuracy, `{share}` a
small percentage and `{city}` a place.
"""

import random
from functools import cache
from importlib import resources
from typing import NamedTuple

SHARED = "*"

CITIES = "Akron|Albuquerque|Baltimore|Cañon City|Duluth|El Paso|Fresno|Kansas City|Mayagüez|Mobile|Peñasco|Tacoma"


class Duty(NamedTuple):
    """Alternatives parted by `|`: what was done, to what, and how, where or why."""

    verbs: str
    objects: str
    tails: str


@cache
def duties() -> dict[str, list[Duty]]:
    """Return the rows of `duties.tsv` by agency."""
    table: dict[str, list[Duty]] = {}
    lines = resources.files(__package__).joinpath("duties.tsv").read_text("utf-8").splitlines()
    for agency, *parts in (line.split("\t") for line in lines[1:]):
        table.setdefault(agency, []).append(Duty(*parts))
    return table


def accomplishments(agency: str, count: int, rng: random.Random) -> tuple[str, ...]:
    """Return `count` sentences without a final period, about two in three of the agency's own work."""
    table = duties()
    own = min(len(table[agency]), round(count * 2 / 3))
    done = rng.sample(table[agency], own) + rng.sample(table[SHARED], count - own)
    rng.shuffle(done)
    return tuple(_sentence(duty, rng) for duty in done)


def _sentence(duty: Duty, rng: random.Random) -> str:
    tails = duty.tails.split("|")
    said = sorted(rng.sample(tails, 2 if rng.random() < 0.35 and len(tails) > 1 else 1), key=tails.index)
    tail = ", ".join(said).replace(", and ", " and ")
    parts = (rng.choice(duty.verbs.split("|")), rng.choice(duty.objects.split("|")), tail)
    return " ".join(_filled(part, rng) for part in parts)


def _filled(part: str, rng: random.Random) -> str:
    return part.format(
        n=rng.randrange(11, 240),
        m=rng.randrange(2, 10),
        k=f"{rng.randrange(1_000, 9_900):,}",
        pct=f"{rng.randrange(930, 1000) / 10}",
        share=rng.randrange(3, 29),
        city=rng.choice(CITIES.split("|")),
    )
