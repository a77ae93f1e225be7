"""Who works where: an invented staff, the same for the same seed."""

import random
import unicodedata
from collections import Counter
from dataclasses import dataclass

TEAM = 12  # people who report to one chief, the chief among them

# Code, name and titles of each agency; `duties.tsv` holds what its people do.
AGENCIES: dict[str, tuple[str, tuple[str, ...]]] = {
    "SSA": (
        "Social Security Administration",
        ("Claims Specialist", "Program Analyst", "Disability Examiner", "Field Office Supervisor"),
    ),
    "VA": (
        "Department of Veterans Affairs",
        (
            "Veterans Service Representative",
            "Nurse Manager",
            "Medical Support Assistant",
            "Rating Specialist",
        ),
    ),
    "NPS": (
        "National Park Service",
        ("Park Ranger", "Facility Manager", "Archaeologist", "Interpretive Specialist"),
    ),
    "IRS": (
        "Internal Revenue Service",
        ("Revenue Agent", "Tax Examining Technician", "IT Specialist", "Taxpayer Advocate"),
    ),
    "USDA": (
        "Department of Agriculture",
        ("Soil Conservationist", "Consumer Safety Inspector", "Loan Specialist", "Plant Pathologist"),
    ),
    "NOAA": (
        "National Oceanic and Atmospheric Administration",
        ("Meteorologist", "Fishery Biologist", "Electronics Technician", "Hydrologist"),
    ),
    "GSA": (
        "General Services Administration",
        ("Contracting Officer", "Building Manager", "Lease Specialist", "Product Manager"),
    ),
    "EPA": (
        "Environmental Protection Agency",
        ("Environmental Engineer", "Remedial Project Manager", "Toxicologist", "Grants Specialist"),
    ),
    "HUD-PR": (
        "Department of Housing and Urban Development, San Juan Field Office",
        ("Especialista en Vivienda", "Program Analyst", "Community Planning Specialist"),
    ),
}

FIRST_NAMES = (
    "Aaliyah Aaron Alicia Andrew Angela Anthony Beatriz Benjamin Brenda Carlos Chloë Christopher Deborah "
    "Denise Dennis Elena Eric Fatima Gloria Gregory Hannah Harold Hạnh Ingrid Isaac Jacqueline James Jasmine "
    "Joanne José Joyce Karen Keiko Kevin Lakshmi Latoya Leonard Łukasz Marcus María Marisol Megan Michael "
    "Mónica Naomi Nathan Omar Patricia Paul Priya Raúl Rebecca Renée Roberta Samuel Søren Sylvia Terrence "
    "Thomas Valerie Victor Wanda William Xiomara Yolanda Zoë"
)

LAST_NAMES = (
    "Abernathy Acevedo Adeyemi Alvarez Anderson Baker Begay Bianchi Boateng Brennan Callahan Castañeda Chen "
    "Christensen Cohen Coleman Dawson Delacroix Diaz Dvořák Edwards Ferrante Fitzgerald Foster García "
    "Goldberg Graham Gutiérrez Haddad Hansen Harris Hoffmann Hughes Ibarra Jackson Jefferson Johnson Kaplan "
    "Kim Kowalski Larsen Lindström Lopez MacDonald Martínez McCarthy Mitchell Müller Murphy Nakamura Nguyễn "
    "Núñez O'Brien Okafor Olson Ortiz Park Patel Peña Petrov Quiñones Ramirez Reyes Robinson Rosenthal Şahin "
    "Schmidt Singh Sørensen Stewart Sullivan Tanaka Thompson Torres Tran Vasquez Walker Washington Whitfield "
    "Yazzie Young Zhang Zielińska"
)

# Letters that NFKD does not take apart.
UNDECOMPOSED = str.maketrans({"ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "ß": "ss"})


@dataclass(frozen=True, slots=True)
class Person:
    """An employee; `manager` is an address, `agency` a key of AGENCIES, `phone` a number nobody has."""

    name: str
    address: str
    manager: str
    title: str
    agency: str
    phone: str


def staff(count: int, seed: int, domain: str = "agency.example") -> tuple[Person, ...]:
    """Return `count` people with distinct addresses at `domain`.

    In each agency every twelfth is a chief, to whom the eleven after report; the chiefs report to
    the director's office, an address that is not on the staff.
    """
    rng = random.Random(seed)  # noqa: S311 - variety that can be repeated, not a secret
    taken: Counter[str] = Counter()
    teams: dict[str, list[Person]] = {agency: [] for agency in AGENCIES}
    hired = []
    for _ in range(count):
        agency = rng.choice(tuple(AGENCIES))
        person = _hire(agency, teams[agency], domain, taken, rng)
        teams[agency].append(person)
        hired.append(person)
    return tuple(hired)


def _hire(agency: str, colleagues: list[Person], domain: str, taken: Counter[str], rng: random.Random) -> Person:
    first, last = rng.choice(FIRST_NAMES.split()), rng.choice(LAST_NAMES.split())
    local = f"{ascii_letters(first)}.{ascii_letters(last)}"
    taken[local] += 1
    number = "" if taken[local] == 1 else str(taken[local])
    chief = len(colleagues) // TEAM * TEAM
    return Person(
        name=f"{first} {last}",
        address=f"{local}{number}@{domain}",
        manager=f"{agency.lower()}.director@{domain}" if chief == len(colleagues) else colleagues[chief].address,
        title=rng.choice(AGENCIES[agency][1]),
        agency=agency,
        phone=f"({rng.choice((202, 215, 303, 404, 410, 787))}) 555-01{rng.randrange(100):02}",
    )


def ascii_letters(name: str) -> str:
    """Return `name` as directories make a local part of it: lower case, ASCII letters only."""
    plain = unicodedata.normalize("NFKD", name.translate(UNDECOMPOSED))
    return "".join(letter for letter in plain.lower() if letter.isascii() and letter.isalpha())


def display_name(address: str) -> str:
    """Return what an address book shows for `address`: `ann.lee2@…` is Ann Lee, `hr@…` is HR."""
    words = address.partition("@")[0].rstrip("0123456789").split(".")
    short = len(words) == 1 and len(words[0]) <= 3
    return " ".join(word.upper() if short or word.upper() in AGENCIES else word.capitalize() for word in words)
