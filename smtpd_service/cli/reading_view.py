"""A reading as people look at it: the mail with what was kept and what was cut, and the bullets.

In the margin of the body stand a bullet's position where it begins, and the rule that cut what stands beside it.
Every character of the mail is made harmless for a terminal, one for one, so that spans stay where they are.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from rich.table import Table
from rich.text import Text

from parsers.model import Bullet, Cut, Explained, Part, Reading
from smtpd_service.cli.complaint import printable
from smtpd_service.cli.masked import IN_QUARANTINE, blanked, is_hidden, widened
from smtpd_service.cli.paper import Column, plain, print_paper, print_table, say

COLOURS = {"OK": "green", "SENSITIVE": "green", "FEW": "yellow", "MANY": "yellow"}
NO_ANSWER = "red"
KEPT, CUT, RULE, NUMBER = "bold", "dim strike", "dim", "cyan"
# Nobody reads more of one line; a terminal that folds a million characters hangs.
LINE = 2_000
# They join letters and emoji, and do nothing to a terminal.
JOINERS = "\u200c\u200d"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a body, and the offset of its first character."""

    start: int
    text: str

    @property
    def end(self) -> int:
        return self.start + len(self.text)


def print_title(name: str) -> None:
    print_paper(_grid([[Text(f"== {printable(name)} ==", "bold")]], "left"))


def print_text(text: str | None) -> None:
    """Print the author's own text."""
    for line in (IN_QUARANTINE if text is None else text).splitlines():
        print(harmless(line))


def harmless(text: str) -> str:
    return "".join(c if c in JOINERS else printable(c) for c in text)


def print_reading(found: Explained, *, everything: bool) -> None:
    reading = found.reading
    print_paper(_grid(_head(reading, everything=everything), "left", "left"))
    for part in _read_parts(found):
        say("")
        kind = "text/html, as it is shown" if part.html else "text/plain"
        print_paper(_grid([[Text(f"part {part.index}, {kind}", "bold")]], "left"))
        print_paper(_grid(_body(part, reading, everything=everything), "right", "left", "left"))
    if reading.bullets:
        say("")
        print_table([_told(reading, each, everything=everything) for each in reading.bullets], BULLETS)
    say("")


BULLETS: Sequence[Column] = (
    plain("position", "#", right=True),
    plain("level", right=True),
    plain("marker"),
    plain("kind"),
    Column("confidence", lambda row: f"{row['confidence']:.2f}", right=True),
    plain("portion_mark", "mark"),
    Column("text", lambda row: "  " * min(row["level"], 8) + row["text"][:LINE]),
)


def _told(reading: Reading, bullet: Bullet, *, everything: bool) -> dict[str, object]:
    told = bullet.to_dict()
    if is_hidden(reading, bullet):
        rule = bullet.quarantine or ", ".join(reading.quarantine)
        told["text"] = f"[{rule}] {told['text'] if everything else IN_QUARANTINE}"
        told["portion_mark"] = told["portion_mark"] if everything else None
    return told


def _grid(rows: Iterable[Sequence[Text]], *columns: Literal["left", "right"]) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    for justify in columns:
        grid.add_column(justify=justify, overflow="fold")
    for row in rows:
        grid.add_row(*row)
    return grid


def _head(reading: Reading, *, everything: bool) -> Iterator[tuple[Text, Text]]:
    items = f"{len(reading.bullets)} bullets" if len(reading.bullets) != 1 else "1 bullet"
    whole = [cut.rule for cut in reading.trace if _is_about_all(cut)]
    subject = reading.subject if everything or not reading.quarantine else IN_QUARANTINE
    yield Text("status", "bold"), Text(f"{reading.status}, {items}", COLOURS.get(reading.status, NO_ANSWER))
    for name, value in (
        ("flags", ", ".join(reading.flags)),
        ("because", ", ".join(whole)),
        ("quarantine", ", ".join(reading.quarantine)),
        ("from", reading.sender or ""),
        ("subject", subject),
        ("defects", "; ".join(reading.defects)),
        ("parser", reading.version),
    ):
        if value:
            yield Text(name, "bold"), Text(harmless(value))


def _is_about_all(cut: Cut) -> bool:
    return cut.end == 0 and not cut.rule.startswith("html:")


def _read_parts(found: Explained) -> list[Part]:
    """Return the parts without the forms of an alternative that were not read."""
    told = {bullet.part for bullet in found.reading.bullets} | {
        cut.part for cut in found.reading.trace if not _is_about_all(cut)
    }
    groups = {part.group for part in found.bodies if part.index in told and part.group is not None}
    return [part for part in found.bodies if part.index in told or part.group not in groups]


def _rows(part: Part) -> Iterator[Row]:
    """Yield the lines of a part, and an empty one that stands for its end."""
    place = 0
    for text in part.text.rstrip().split("\n"):
        yield Row(place, text.removesuffix("\r"))
        place += len(text) + 1
    yield Row(place, "")


def _body(part: Part, reading: Reading, *, everything: bool) -> Iterator[tuple[Text, Text, Text]]:
    """Yield margin, gutter and text of each line of a part, and a line where something was cut that is not shown."""
    bullets = [bullet for bullet in reading.bullets if bullet.part == part.index]
    kept_back = [] if everything else _hidden(part, (each for each in bullets if is_hidden(reading, each)))
    cuts = [cut for cut in reading.trace if cut.part == part.index and not _is_about_all(cut)]
    rows = list(_rows(part))
    if reading.quarantine and not everything:
        kept_back = [Cut("", part.index, 0, rows[-1].end)]
    blank = False
    for row, cut, begun, hidden in zip(
        rows, _touching(rows, cuts), _touching(rows, _spans(bullets)), _touching(rows, kept_back), strict=True
    ):
        for each in cut:
            if each.start == each.end:
                yield Text(each.rule, RULE), Text("-", RULE), Text("(cut, not shown)", RULE)
        taken = [each for each in cut if each.start < each.end]
        if not row.text.strip() and (blank or row is rows[-1]):
            # The margins of HTML add up.
            continue
        blank = not row.text.strip()
        numbers = [each.rule for each in begun if each.start >= row.start]
        rules = dict.fromkeys(each.rule for each in taken)
        margin = Text(", ".join(rules), RULE) if rules else Text(", ".join(numbers), NUMBER)
        yield margin, Text("-" if rules else "|", RULE), _line(row, taken, begun, hidden)


def _spans(bullets: Iterable[Bullet]) -> list[Cut]:
    return [Cut(str(bullet.position), bullet.part, bullet.start, bullet.end) for bullet in bullets]


def _hidden(part: Part, bullets: Iterable[Bullet]) -> list[Cut]:
    spans = (widened(part.text, bullet.start, bullet.end, bullet.marker) for bullet in bullets)
    return [Cut("", part.index, begin, end) for begin, end in spans]


def _touching(rows: Iterable[Row], spans: Iterable[Cut]) -> Iterator[list[Cut]]:
    """Yield for each row what begins in it, and of what began above the one that reaches farthest: linear."""
    waiting = deque(sorted(spans, key=lambda span: (span.start, span.end)))
    farthest = Cut("")
    for row in rows:
        here = [farthest] if farthest.end > row.start else []
        while waiting and waiting[0].start <= row.end:
            here.append(waiting.popleft())
            farthest = max(farthest, here[-1], key=lambda span: span.end)
        yield here


def _line(row: Row, cut: Iterable[Cut], bullets: Iterable[Cut], hidden: Iterable[Cut]) -> Text:
    text = row.text[:LINE]
    for span in hidden:
        begin, end = max(span.start - row.start, 0), max(span.end - row.start, 0)
        text = blanked(text, begin, end)
    shown = Text(harmless(text))
    for spans, style in ((bullets, KEPT), (cut, CUT)):
        for span in spans:
            shown.stylize(style, max(span.start - row.start, 0), max(span.end - row.start, 0))
    if len(row.text) > LINE:
        shown.append(f" … ({len(row.text) - LINE:,} more characters)", RULE)
    return shown
