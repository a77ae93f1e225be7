"""From octets to reading: the stages in their order, and what the whole is called.

Pure and total: any octets in, a `Reading` out. Only RecursionError and MemoryError may escape.
"""

import hashlib
import re

from parsers import bullets, gate, html, listing, mime, reply, signature, text
from parsers.listing import Listed
from parsers.model import Bullet, Cut, Explained, Line, Mime, Part, Reading, Reply, Segments, Status

FEWEST, MOST = 3, 10

_SENSITIVE = re.compile(
    r"(?:(?:hi|hello|hey|dear|good (?:morning|afternoon|evening))(?: \w+){0,3}? )?"
    r"all (?:of )?(?:my|our) (?:work |weekly )?(?:activities|activity|work|tasks|accomplishments)"
    r"(?: (?:last|this|for the) week)? (?:are|is|were|was) (?:sensitive|classified)",
    re.IGNORECASE,
)


def read(octets: bytes, *, null_sender: bool = False, request: str = "") -> Reading:
    """Return what a message says.

    `null_sender` tells that its reverse-path was `<>`; `request` is the text of the mail that it answers,
    where that is known.
    """
    return explain(octets, null_sender=null_sender, request=request).reading


def explain(octets: bytes, *, null_sender: bool = False, request: str = "") -> Explained:
    """Return what a message says, with what it was read from, so that a complaint can be answered."""
    message = mime.take_apart(octets)
    stop = gate.stopped(message, null_sender=null_sender)
    if stop is not None:
        return Explained(_gated(message, stop), (), "", "")
    return _explain(message, request)


def explain_body(body: str, *, html: bool, request: str = "") -> Explained:
    """Return the same for a bare body, which has no headers."""
    return _explain(Mime(parts=(Part(index=0, html=html, text=body),)), request)


def _explain(message: Mime, request: str) -> Explained:  # noqa: ARG001  # the stage that subtracts it comes next
    own = _own(message)
    unsigned = signature.without(listing.listed(own), message.sender_name)
    segments = bullets.segment(unsigned)
    reading = _reading(message, segments, unsigned.trace, _status(segments, unsigned.lines))
    return Explained(reading, message.parts, _text(own), _text(unsigned))


def _text(said: Reply | Listed) -> str:
    return "\n".join(line.text for line in said.lines).strip("\n")


def fingerprint(found: tuple[Bullet, ...]) -> str | None:
    """Return the SHA-256 (hex) of the bullets' texts, casefolded, spaces folded, sorted; None of none."""
    if not found:
        return None
    texts = sorted(" ".join(bullet.text.casefold().split()) for bullet in found)
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


def _gated(message: Mime, stop: gate.Gate) -> Reading:
    defects = message.defects if message.unreadable is None else (message.unreadable,)
    return Reading(
        status=stop.status,
        flags=(),
        sender=message.sender,
        subject=message.subject,
        bullets=(),
        leftover="",
        fingerprint=None,
        trace=(Cut(f"gate:{stop.name}"),),
        defects=defects,
    )


def _reading(message: Mime, segments: Segments, trace: tuple[Cut, ...], status: Status) -> Reading:
    found = () if status is Status.SENSITIVE else segments.bullets
    cut = "body-truncated" in message.defects or any(each.rule == "lines-limit" for each in trace)
    return Reading(
        status=status,
        flags=("truncated",) if cut else (),
        sender=message.sender,
        subject=message.subject,
        bullets=found,
        leftover=segments.leftover,
        fingerprint=fingerprint(found),
        trace=trace,
        defects=message.defects,
    )


def _own(message: Mime) -> Reply:
    """Return the author's lines: of HTML where it says more, of plain text where that leaves nothing."""
    chosen = _chosen(message.parts, prefer_html=True)
    own = _cut(chosen)
    if any(line.text.strip() for line in own.lines):
        return own
    other = _chosen(message.parts, prefer_html=False)
    return own if other == chosen else _cut(other)


def _cut(parts: list[Part]) -> Reply:
    lines: list[Line] = []
    trace: list[Cut] = []
    for part in parts:
        rendered = html.render(part) if part.html else Reply(text.lines(part))
        lines.extend(rendered.lines)
        trace.extend(rendered.trace)
    own = reply.own(tuple(lines))
    return Reply(own.lines, tuple(dict.fromkeys((*trace, *own.trace))))


def _chosen(parts: tuple[Part, ...], *, prefer_html: bool) -> list[Part]:
    """Return the parts to read: all that stand alone, and of each alternative its better form."""
    groups = {part.group for part in parts if part.group is not None}
    picks = {group: _pick([part for part in parts if part.group == group], prefer_html) for group in groups}
    return [part for part in parts if part.group is None or part.html == picks[part.group]]


def _pick(alternatives: list[Part], prefer_html: bool) -> bool:
    """Return whether to read the HTML of an alternative: it shows lists or quotes, or it is all there is."""
    if not any(not part.html and part.text.strip() for part in alternatives):
        return True
    return prefer_html and any(part.html and html.is_telling(part.text) for part in alternatives)


def _status(segments: Segments, lines: tuple[Line, ...]) -> Status:
    if _is_sensitive(segments, lines):
        return Status.SENSITIVE
    asked = sum(1 for bullet in segments.bullets if bullet.level == 0)
    if asked == 0:
        return Status.EMPTY
    if asked < FEWEST:
        return Status.FEW
    return Status.MANY if asked > MOST else Status.OK


def _is_sensitive(segments: Segments, lines: tuple[Line, ...]) -> bool:
    """Return whether the reply says that all of it is sensitive, and names nothing beside a greeting and a name."""
    if sum(len(line.text) for line in lines) > 300:
        return False
    marked = [bullet.text for bullet in segments.bullets if bullet.kind != "paragraph"]
    if not marked and any(_says_sensitive(line.text) for line in lines):
        return True
    return len(marked) <= 1 and _says_sensitive(" ".join([*marked, *segments.leftover.split("\n")]))


def _says_sensitive(words: str) -> bool:
    return bool(_SENSITIVE.fullmatch(" ".join(re.sub(r"[^\w ]+", " ", words).split())))
