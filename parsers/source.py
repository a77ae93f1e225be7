"""Which parts of a message are read, and the author's own lines of them.

HTML where it holds list structure or a quote's container, else plain text; the other where the first leaves nothing.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from parsers import html, reply, text, trace
from parsers.items import unmarked
from parsers.markup import boxes
from parsers.markup.page import SIGNATURE
from parsers.model import Cut, Explained, Line, Part, Reply

_WORD = re.compile(r"\w+")
_LEVEL = re.compile(r"[ \t]*+>[ \t]?")
_UNMARKED_KINDS = ("paragraph", "semicolon")
# So many words tell an item.
_HEAD = 5
# What begins below one of these is quoted without a mark.
_UNMARKED = ("attribution", "header-block", "original-message", "forwarded", boxes.RULE)


@dataclass(frozen=True, slots=True)
class Source:
    """What was read: the author's reply, and the parts that it is of, HTML as the text that its offsets count in."""

    reply: Reply
    parts: tuple[Part, ...]
    bodies: tuple[Part, ...]


def read(parts: tuple[Part, ...]) -> Source:
    """Return the author's lines: of HTML where it says more, of plain text where that leaves nothing."""
    chosen = _chosen(parts, prefer_html=True)
    found = _cut(chosen)
    if any(line.text.strip() for line in found.reply.lines):
        signed = any(part.html for part in chosen) and _is_all_signed(found.reply.lines)
        return _cut(chosen, guess=False) if signed else found
    other = _chosen(parts, prefer_html=False)
    return found if other == chosen else _cut(other)


def other(parts: tuple[Part, ...], known: tuple[Part, ...]) -> Source | None:
    """Return the author's lines of the other form of what was read as `known`, None where there is none."""
    indices = {part.index for part in known}
    forms = {part.group for part in parts if part.group is not None and part.index not in indices and part.text.strip()}
    if not forms:
        return None
    return _cut([part for part in parts if part.index not in indices or part.group not in forms])


def is_known(said: Explained, before: Explained) -> bool:
    """Return whether an item of `said` was none in `before`, the other form of the same, for a reason.

    It was cut there as a quote or a signature; or it stands there on a line of its own, without a mark anywhere.
    """
    bodies = {part.index: part.text for part in before.bodies}
    cut = _words(bodies[each.part][each.start : each.end] for each in before.reading.trace if each.part in bodies)
    lines = "".join(f"\n{_words((line,))}" for body in bodies.values() for line in body.split("\n"))
    run_on = lines.replace("\n", " ")
    for bullet in said.reading.bullets:
        words = _words((bullet.text,))
        begin = " ".join(words.split(" ", _HEAD)[:_HEAD])
        alike = (f"\n{begin}", f"\n{_words((bullet.marker,))} {begin}")
        if words in cut or any(line in lines for line in alike):
            return True
        if bullet.kind in _UNMARKED_KINDS and begin in run_on:
            return True
    return False


def _words(texts: Iterable[str]) -> str:
    return " ".join(word for text in texts for word in _WORD.findall(text))


def _is_all_signed(lines: tuple[Line, ...]) -> bool:
    """Return whether an author said nothing outside of what the program calls a signature: they may answer there."""
    said = [line for line in lines if line.text.strip()]
    others = [line for line in said if line.item is None or line.item.kind != SIGNATURE]
    return len(others) < len(said) and all(unmarked.greets(line.text.strip()) for line in others)


def of_lines(part: Part, lines: tuple[Line, ...]) -> Source:
    """Return the author's of lines that were made of an attachment."""
    return Source(reply.own(lines), (part,), (part,))


def bodies(parts: tuple[Part, ...], known: tuple[Part, ...]) -> tuple[Part, ...]:
    """Return `known`, and the parts that were not read, HTML as the text that it renders to; by their place."""
    indices = {part.index for part in known}
    others = (_shown(part) for part in parts if part.index not in indices)
    return tuple(sorted((*known, *others), key=lambda part: part.index))


def quoted(source: Source) -> Source:
    """Return what the first quote of each part says, without what that quotes in turn."""
    lines: list[Line] = []
    plain = {part.index for part in source.parts if not part.html}
    cuts = [cut for cut in source.reply.trace if cut.part in plain]
    shown: list[Part] = []
    for part in source.parts:
        if part.html:
            rendered = html.render(part, quoted=True)
            inner = list(rendered.lines) or _below(list(html.render(part, guess=False).lines), source)
            shown.append(replace(part, text=rendered.text))
            cuts.extend(rendered.trace)
        else:
            inner = _marked(text.lines(part)) or _below(list(text.lines(part)), source)
            shown.append(part)
        below = reply.without_head(tuple(inner))
        if part.html:
            cuts.extend(trace.cuts("quote-head", inner[: len(inner) - len(below)]))
        lines.extend(reply.own(below).lines)
    return Source(Reply(tuple(lines), tuple(cuts)), source.parts, tuple(shown))


def _marked(lines: tuple[Line, ...]) -> list[Line]:
    """Return the lines behind one `>`, without it; what is behind two is of an older mail."""
    found = []
    for line in lines:
        mark = _LEVEL.match(line.text)
        if mark is not None:
            begin = mark.end()
            offsets = None if line.offsets is None else line.offsets[begin:]
            found.append(line._replace(text=line.text[begin:], start=line.place(begin), offsets=offsets))
    return found


def _below(lines: list[Line], source: Source) -> list[Line]:
    """Return the lines below the first boundary that quotes without a mark."""
    begin = next((cut.start for cut in source.reply.trace if cut.rule.startswith(_UNMARKED)), None)
    return [] if begin is None else [line for line in lines if line.start >= begin]


def _cut(parts: list[Part], *, guess: bool = True) -> Source:
    lines: list[Line] = []
    cuts: list[Cut] = []
    shown: list[Part] = []
    for part in parts:
        if lines and lines[-1].text:  # a paragraph ends with its part
            lines.append(Line("", lines[-1].end, lines[-1].end, lines[-1].part))
        if not part.html:
            plain, taken_off = text.read(part)
            lines.extend(plain)
            cuts.extend(taken_off)
            shown.append(part)
            continue
        rendered = html.render(part, guess=guess)
        lines.extend(rendered.lines)
        cuts.extend(rendered.trace)
        shown.append(replace(part, text=rendered.text))
    own = reply.own(tuple(lines))
    return Source(Reply(own.lines, trace.ordered((*cuts, *own.trace))), tuple(parts), tuple(shown))


def _shown(part: Part) -> Part:
    return replace(part, text=html.render(part).text) if part.html else part


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
