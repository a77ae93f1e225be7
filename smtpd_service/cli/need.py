"""`quota plan`: which quota is enough for what will come, from a mailbox's own past or from what is assumed."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, pstdev
from typing import Any

from smtpd_service.cli import load
from smtpd_service.cli.complaint import Complaint
from smtpd_service.cli.desk import Desk, mailbox_at
from smtpd_service.cli.lookout import Lookout
from smtpd_service.cli.paper import Column, Row, plain, print_facts, print_json, print_table, say, shown, size
from smtpd_service.domain.forecast import in_words
from smtpd_service.identity import now
from smtpd_service.planning.axis import span
from smtpd_service.planning.curve import Curve
from smtpd_service.planning.need import Demand, drawn, least
from smtpd_service.planning.sizes import USUAL, Sizes, mixed, seen, told
from storage import past
from storage.records import Mailbox

# Fewer letters say nothing of the sizes to come.
_ENOUGH = 100
# Drawing so many letters takes about half a second; with fewer trials than this a check says nothing.
_DRAWN, _TRIALS = 1_000_000, 2_000
_STEPS = (0.7, 0.8, 0.9, 1.0, 1.1, 1.25, 1.5)


@dataclass(frozen=True, slots=True)
class Assumed:
    """What was typed, in shares; None where the past is asked."""

    people: int | None
    turnout: float | None
    deviation: float | None
    sizes: Sizes | None
    twice: float
    probability: float
    curve: Curve
    emptied: bool
    seed: int


def assumed(  # noqa: PLR0917  # the options of the verb, in their order
    people: int | None,
    turnout: float | None,
    deviation: float | None,
    twice: float,
    probability: float,
    mix: str | None,
    spread: float,
    *,
    emptied: bool,
    seed: int,
) -> Assumed:
    """Return what was typed, read strictly."""
    if not 1e-9 <= load.number("--probability", probability) < 1:
        raise Complaint(f"--probability: {probability:g} is out of bounds; write one such as 0.001, less than 1")
    return Assumed(
        people,
        None if turnout is None else load.share("--turnout", turnout),
        None if deviation is None else load.share("--give-or-take", deviation),
        load.sizes_of(mix, spread),
        load.share("--twice", twice),
        probability,
        Curve(),
        emptied,
        seed,
    )


@dataclass(frozen=True, slots=True)
class _Known:
    """What the plan stands on, and where each of it comes from."""

    demand: Demand
    sources: Sequence[tuple[str, str]]


def plan_for(desk: Desk | None, address: str | None, assumed: Assumed, *, json: bool) -> int:
    """Plan and tell; without a desk from what is assumed alone. Raises Complaint where something must be said."""
    box = _box(desk, address)
    known = _known(desk, box, assumed)
    facts = _planned(known, box, assumed)
    if json:
        print_json(facts)
    else:
        _tell(known, box, facts, desk)
    return 0


def _box(desk: Desk | None, address: str | None) -> Mailbox | None:
    if desk is None or address is None:
        return None
    with desk.store.reading() as tx:
        found = mailbox_at(tx, address)
    if found.exempt:
        raise Complaint(f"{found.address}: a postmaster's mailbox has no quota: it takes all mail")
    return found


def _known(desk: Desk | None, box: Mailbox | None, assumed: Assumed) -> _Known:
    """Put together what was typed and what the past says."""
    people, of_people = _people(desk, assumed)
    turnout, deviation, of_turnout = _turnout(desk, box, assumed, people)
    sizes, of_sizes = _sizes(desk, box, assumed)
    try:
        demand = Demand(people, sizes, turnout, deviation, assumed.twice)
    except ValueError as error:
        typed_in = f"--people {people} --turnout {100 * turnout:g} --give-or-take {100 * deviation:g}"
        raise Complaint(f"{typed_in}: {error}") from error
    off = f" ± {100 * deviation:.1f}" if deviation else ""
    return _Known(
        demand,
        (
            ("people", f"{people:,} ({of_people})"),
            ("turnout", f"{100 * turnout:.1f}{off} % ({of_turnout})"),
            ("sizes", f"{told(sizes)} ({of_sizes})"),
        ),
    )


def _people(desk: Desk | None, assumed: Assumed) -> tuple[int, str]:
    if assumed.people is not None:
        return load.count("--people", assumed.people, 1_000_000_000), "as told"
    if desk is not None:
        with desk.store.reading() as tx:
            found = past.people(tx)
        if found:
            return found, "on the roster"
    raise Complaint("nobody is on the roster; say how many are asked: --people 2300000")


def _turnout(desk: Desk | None, box: Mailbox | None, assumed: Assumed, people: int) -> tuple[float, float, str]:
    """Return the share that answers and its deviation: as told, as the last rounds had it, or everybody."""
    if assumed.turnout is not None:
        return assumed.turnout, assumed.deviation or 0.0, "as told"
    if desk is not None and box is not None and box.campaign is not None:
        with desk.store.reading() as tx:
            rounds = past.turnouts(tx, box.campaign, now())
        shares = [min(1.0, each.answered / people) for each in rounds]
        if shares and fmean(shares) > 0:
            deviation = pstdev(shares) if assumed.deviation is None else assumed.deviation
            return fmean(shares), deviation, f"as in the last {len(shares)} rounds"
    if assumed.deviation:
        raise Complaint("--give-or-take says how far off a turnout is; say which: --turnout 46")
    return 1.0, 0.0, "everybody answers: no round is over yet; say otherwise with --turnout 46 --give-or-take 6"


def _sizes(desk: Desk | None, box: Mailbox | None, assumed: Assumed) -> tuple[Sizes, str]:
    if assumed.sizes is not None:
        return assumed.sizes, "as told"
    if desk is not None and box is not None:
        with desk.store.reading() as tx:
            found = past.sizes(tx, box.id)
        if len(found) >= _ENOUGH:
            return seen(found), f"of the last {len(found):,} letters here"
    kinds = ", ".join(f"{size(kind.octets)}: {kind.share:g} %" for kind in USUAL)
    return mixed(), f"assumed, {kinds}"


def _planned(known: _Known, box: Mailbox | None, assumed: Assumed) -> dict[str, Any]:
    """Return the plan for machines."""
    demand, p = known.demand, assumed.probability
    held = box.used if box is not None and not assumed.emptied else None
    octets, messages = (held.octets, held.messages) if held else (0, 0)
    # Nobody sets a quota to the octet.
    room = _rounded_up(octets + least(p, demand.more_octets_than, demand.octets[0])) - octets
    letters = _rounded_up(messages + least(p, demand.more_letters_than, demand.letters[0])) - messages
    return {
        "mailbox": box.address if box is not None else None,
        "people": demand.people,
        "turnout": demand.turnout,
        "turnout_deviation": demand.deviation,
        "letters": round(demand.letters[0]),
        "letters_deviation": round(demand.letters[1]),
        "octets": round(demand.octets[0]),
        "octets_deviation": round(demand.octets[1]),
        "held_octets": octets,
        "held_messages": messages,
        "probability": p,
        "quota_octets": octets + room,
        "quota_messages": messages + letters,
        "probability_then": demand.more_octets_than(room),
        "checked": _checked(demand, room, assumed),
        "now": _now(demand, box, octets, messages, assumed.curve),
        "table": _table(demand, octets, octets + room, box),
    }


def _now(demand: Demand, box: Mailbox | None, octets: int, messages: int, curve: Curve) -> dict[str, Any] | None:
    """Return how it would go with the quota as it is."""
    if box is None:
        return None
    by_octets = demand.more_octets_than(box.quota.octets - octets)
    by_messages = 0.0 if box.quota.messages is None else demand.more_letters_than(box.quota.messages - messages)
    share = (box.quota.octets - octets) / demand.octets[0]
    return {
        "quota_octets": box.quota.octets,
        "quota_messages": box.quota.messages,
        "probability_octets": by_octets,
        "probability_messages": by_messages,
        # Where as much comes as is expected.
        "full_before_deadline_s": curve.window - curve.when(max(0.0, share)) if share < 1 else None,
    }


def _checked(demand: Demand, room: int, assumed: Assumed) -> dict[str, Any] | None:
    """Return what drawing letter by letter says of the same room; None where they are too many to draw."""
    trials = min(50_000, int(_DRAWN / max(1.0, demand.letters[0])))
    if trials < _TRIALS or trials * assumed.probability < 5:
        return None
    return {"trials": trials, "probability": drawn(demand, room, trials, assumed.seed)}


def _table(demand: Demand, held: int, quota: int, box: Mailbox | None) -> list[dict[str, Any]]:
    """Return probabilities for quotas around the needed one, and for the present one."""
    around = {held + _rounded_up(step * (quota - held)) for step in _STEPS if step != 1} | {quota}
    around |= {box.quota.octets} if box is not None else set()
    present = box.quota.octets if box is not None else None
    return [
        {
            "quota_octets": each,
            "probability": demand.more_octets_than(each - held),
            "note": "now" if each == present else "needed" if each == quota else "",
        }
        for each in sorted(around)
    ]


def _rounded_up(amount: float) -> int:
    """Return three digits of it, and not less than it."""
    whole = math.ceil(amount)
    unit: int = 10 ** max(0, len(str(whole)) - 3)
    return -(-whole // unit) * unit


def _percent(probability: float) -> str:
    """Return a probability as people compare it."""
    if probability > 0.9999:
        return "over 99.99 %"
    return f"{100 * probability:.3g} %" if probability >= 1e-6 else "under 0.0001 %"


def _tell(known: _Known, box: Mailbox | None, facts: dict[str, Any], desk: Desk | None) -> None:
    demand = known.demand
    print_facts(
        [
            *known.sources,
            ("expected letters", _about(*demand.letters)),
            ("expected octets", f"{size(facts['octets'])} ± {size(facts['octets_deviation'])}"),
            ("held already", f"{size(facts['held_octets'], 2)}, {facts['held_messages']:,} letters" if box else ""),
        ]
    )
    say("")
    if box is not None:
        _tell_now(box, facts["now"], desk)
    wanted = _percent(facts["probability"])
    quota = size(facts["quota_octets"])
    say(f"With {quota} it gets full with {wanted} or less; in messages that is {facts['quota_messages']:,}.")
    if (check := facts["checked"]) is not None:
        say(f"Drawn {check['trials']:,} times, letter by letter: {_percent(check['probability'])}.")
    say("")
    print_table(facts["table"], _COLUMNS)


def _about(mean: float, deviation: float) -> str:
    return shown(round(mean)) + (f" ± {deviation:,.0f}" if deviation >= 0.5 else "")


def _tell_now(box: Mailbox, present: dict[str, Any], desk: Desk | None) -> None:
    left = present["full_before_deadline_s"]
    when = f"; if as much comes as expected, {span(left)}" if left is not None else ""
    say(f"{box.address} has {size(box.quota.octets)}: full with {_percent(present['probability_octets'])}{when}.")
    if box.quota.messages is not None:
        limit = f"{box.quota.messages:,} messages"
        say(f"Its limit of {limit} is reached with {_percent(present['probability_messages'])}.")
    if desk is not None:
        seen_now = Lookout(desk.store, [box.address]).look()
        say(f"As it fills just now: {in_words(seen_now.sights[0].forecast, seen_now.at, desk.zone)}.")


def _quota_cell(row: Row) -> str:
    return size(row["quota_octets"], 2)


_COLUMNS = (
    Column("quota", _quota_cell, right=True),
    Column("full with", lambda row: _percent(row["probability"]), right=True),
    plain("note", ""),
)
