"""From octets to reading: the stages in their order, and what the whole is called.

Pure and total: any octets in, a `Reading` out. Only RecursionError and MemoryError may escape.
"""

from dataclasses import replace

from parsers import attachments, bullets, classify, gate, limits, marking, mime, repeat, signature, source, template
from parsers.items import listing
from parsers.items.listing import Listed
from parsers.model import Cut, Explained, Mime, Part, Reading, Reply, Segments, Status
from parsers.source import Source


def read(octets: bytes, *, null_sender: bool = False, request: str = "") -> Reading:
    """Return what a message says.

    `null_sender` tells that its reverse-path was `<>`; `request` is the text of the mail that it answers,
    where that is known.
    """
    return _read(octets, null_sender, request)[1].reading


def explain(octets: bytes, *, null_sender: bool = False, request: str = "") -> Explained:
    """Return what a message says, with what it was read from, so that a complaint can be answered."""
    message, explained = _read(octets, null_sender, request)
    if not explained.bodies:
        return explained
    return replace(explained, bodies=source.bodies(message.parts, explained.bodies))


def explain_body(body: str, *, html: bool, request: str = "") -> Explained:
    """Return the same for a bare body, which has no headers."""
    costly = limits.markup(body) if html else None
    if costly is not None:
        return Explained(_gated(Mime(unreadable=costly), gate.GATES[0]), (), "", "")
    return _explain(Mime(parts=(Part(index=0, html=html, text=body),)), request)


def _read(octets: bytes, null_sender: bool, request: str) -> tuple[Mime, Explained]:
    """Return the message taken apart and what it says, with those bodies alone that were read."""
    message = mime.take_apart(octets)
    stop = gate.stopped(message, null_sender=null_sender)
    if stop is not None:
        return message, Explained(_gated(message, stop), (), "", "")
    return message, _explain(message, request)


def _explain(message: Mime, request: str) -> Explained:
    explained = _explained(message, source.read(message.parts), request)
    if explained.reading.status is not Status.EMPTY:
        return explained
    other = source.other(message.parts, explained.bodies)
    beside = None if other is None else _explained(message, other, request)
    if beside is not None and beside.reading.status is not Status.EMPTY and not source.is_known(beside, explained):
        return beside
    return _from_attachments(message, explained, request)


def _from_attachments(message: Mime, body: Explained, request: str) -> Explained:
    """Return what the first attachment with an answer says, `body` where none has one."""
    defects = message.defects
    for opened in attachments.opened(message):
        defects += (opened.defect,) if opened.defect else ()
        found = source.read((opened.part,)) if opened.lines is None else source.of_lines(opened.part, opened.lines)
        said = _explained(replace(message, parts=(opened.part,), defects=defects), found, request)
        if said.reading.status is not Status.EMPTY:
            return replace(body, reading=_joined(body.reading, said.reading), bodies=(*body.bodies, *said.bodies))
    return replace(body, reading=replace(body.reading, defects=defects))


def _joined(body: Reading, attached: Reading) -> Reading:
    """Return the attachment's reading with what the body said beside it."""
    return replace(
        attached,
        flags=(*attached.flags, "from_attachment"),
        leftover="\n".join(said for said in (body.leftover, attached.leftover) if said),
        trace=(*body.trace, *attached.trace),
        quarantine=tuple(dict.fromkeys((*body.quarantine, *attached.quarantine))),
    )


def _explained(message: Mime, found: Source, request: str) -> Explained:
    own = template.subtract(found.reply, request)
    unsigned = signature.without(listing.listed(signature.apart(own)), message.sender_name)
    segments = bullets.segment(unsigned)
    said, unsigned_said, lines, trace = _text(own), _text(unsigned), unsigned.lines, unsigned.trace
    if not segments.bullets and template.may_hold(unsigned, request):
        answers = template.answers(source.quoted(found), request)
        if answers is not None:
            segments, found, trace = answers.beside(segments, unsigned)
            lines = ()  # those of the items are others
            said, unsigned_said = f"{said}\n{answers.text}".strip("\n"), f"{unsigned_said}\n{answers.text}".strip("\n")
    reading = _reading(message, segments, trace, classify.status(segments, unsigned.lines))
    return Explained(marking.marked(reading, said, unsigned_said, lines), found.bodies, said, unsigned_said)


def _text(said: Reply | Listed) -> str:
    return "\n".join([line.text for line in said.lines]).strip("\n")


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
        flags=("truncated",) * cut + ("signed",) * message.signed,
        sender=message.sender,
        subject=message.subject,
        bullets=found,
        leftover=segments.leftover,
        fingerprint=repeat.fingerprint(bullet.text for bullet in found),
        trace=trace,
        defects=message.defects,
    )
