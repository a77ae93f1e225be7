# ruff: noqa: RUF001  other alphabets have look-alikes of Latin letters, and dashes come in all lengths
"""The author's own lines: what was quoted below, above or between them is taken away.

Quoted is: a line behind `>` or behind another mark that an attribution announces; what such a line lost when it was
wrapped; an attribution; and all below an attribution, a header block or a divider that no marked quote follows.
Answers below and between quotes stay. A list line is never a boundary: `- From: intake team` is content. What a
list put below the quote goes with it, and so does a delimited signature there, where the author wrote above the quote
alone: that is a program's doing. Linear: each line is looked at once, with at most eight after it.
"""

import re

from parsers import trace
from parsers.borders import attribution, farewell, header_block
from parsers.model import LINES, Cut, Line, Reply

_DIVIDER = re.compile(r"[-_=*~—–─]{3,}")
_INITIALS = re.compile(r"[ \t]*+([A-Za-z]{1,8})>+(?:[ \t]|$)")
# Supercite tells them first, other programs set them below an attribution only.
_CITED = re.compile(r">{4,5} \"([A-Za-z]{1,8})\" ==")
_NAMED = re.compile(r"([A-Za-z]{1,8})> ?")
# Marks other than `>` that mail programs were set to: believed below an attribution alone.
_ODD_MARKS = ("|", "}", ":", "=>", "│", "┃", "¦", "‖")
# A quote is wrapped anew by the program that quotes: the last words of its line fall out of it.
_MARGIN = 66
_REMAINDER = 60
_WARNING_LINES = 8
# More between two lines, and something else stood there.
_LINE_END = 2
_GREETING = 40
# Old mailboxes put `>` before a line that begins with From.
_MBOX = re.compile(r">From [^\n]")


def own(lines: tuple[Line, ...]) -> Reply:
    """Return the lines that the author wrote, without quotes, attributions and quoted headers."""
    cutting = _Cutting(lines)
    if len(lines) >= LINES:
        cutting.trace.append(Cut("lines-limit"))
    cutting.run()
    kept = _without_dividers(cutting)
    return Reply(kept, tuple(cutting.trace))


def without_head(lines: tuple[Line, ...]) -> tuple[Line, ...]:
    """Return the lines of a quote without the attribution, or the divider and header block, that it begins with."""
    first = _said(lines, 0)
    found = attribution.find(lines[: first + attribution.LONGEST], lambda _: True).get(first)
    if found is not None:
        return lines[first + found.length :]
    if first < len(lines) and header_block.divider(lines[first].text.strip()):
        first = _said(lines, first + 1)
    block = header_block.starts(lines, first) if first < len(lines) else None
    return lines if block is None else lines[first + block[1] :]


def _said(lines: tuple[Line, ...], index: int) -> int:
    """Return where the next line stands that is not blank, or the end."""
    return next((at for at in range(index, len(lines)) if lines[at].text.strip()), len(lines))


class _Cutting:
    """One pass over the lines. Lives for one call of `own`."""

    def __init__(self, lines: tuple[Line, ...]) -> None:
        self.lines = lines
        self.kept: list[int] = []
        self.trace: list[Cut] = []
        self._initials = _initials(self.lines)
        self._mark = ""
        self._attributions = attribution.find(self.lines, self._may_be_quoted)
        self._before_quote = 0  # how many lines were kept when the last cut was made
        self._answers = 0  # stretches of own text that a cut has ended

    def run(self) -> None:
        index, end = self._warned(), len(self.lines)
        while index < end:
            rule, length = self._boundary(index) if self.lines[index].text else ("", 0)
            if not rule:
                self.kept.append(index)
                index += 1
                continue
            below = self._below_quote(index) if rule == "quote" else index + length
            if rule != "quote" and not self._quote_follows(below) and not self._greets(rule, below):
                self._cut(rule, index, end)
                return
            self._cut(rule, index, below)
            if len(self.kept) > self._before_quote:
                self._answers += any(self.lines[at].text.strip() for at in self.kept[self._before_quote :])
                self._before_quote = len(self.kept)
            index = below
        self._put_below()

    def _below_quote(self, index: int) -> int:
        """Return where the stretch of lines behind `>` ends that goes on from line `index`, which is quoted."""
        below = index + 1
        while below < len(self.lines):
            before, line = self.lines[below - 1], self.lines[below]
            if line.text[:1] != ">" or line.text.startswith(">From ") or below in self._attributions:
                break
            if line.item is not None or line.part != before.part or line.start - before.end > _LINE_END:
                break
            below += 1
        return below

    def _warned(self) -> int:
        """Pass over what a gateway wrote above the mail: its first paragraph, where that warns of mail from outside."""
        first = _said(self.lines, 0)
        if first == len(self.lines) or self.lines[first].item is not None:
            return 0
        language = farewell.external(self.lines[first].text)
        if language is None:
            return 0
        below = range(first, min(first + _WARNING_LINES, len(self.lines)))
        end = next((at for at in below if not self.lines[at].text.strip()), first + 1)
        self._cut(f"external:{language}", first, end)
        return end

    def _boundary(self, index: int) -> tuple[str, int]:
        """Return the rule that cuts at `index` and how many lines it takes; rule empty for own text."""
        line = self.lines[index]
        text = line.text.strip()
        if line.item is not None or not text:
            return "", 0
        found = self._attributions.get(index)
        if found is not None:
            self._announce(index, index + found.length)
            return found.rule, found.length
        if (text[0] == ">" or self._mark or self._initials) and self._is_quoted(line.text):
            return ("", 0) if self._is_escaped(index) else ("quote", 1)
        above = self.lines[index - 1].text if index else ""
        if (">" in above or self._mark) and self._is_quoted(above) and self._is_remainder(index):
            return "quote", 1
        rule = header_block.divider(text)
        if rule is not None:
            return rule, self._headed(index + 1) - index
        return header_block.starts(self.lines, index) or ("", 0)

    def _headed(self, index: int) -> int:
        """Return where the header block ends that may stand below a divider, the blank lines above it included."""
        first = next((at for at in range(index, min(index + 3, len(self.lines))) if self.lines[at].text.strip()), None)
        block = None if first is None else header_block.starts(self.lines, first)
        return index if first is None or block is None else first + block[1]

    def _announce(self, index: int, below: int) -> None:
        """Learn by which mark the quote below an attribution is told."""
        said = next((line.text.lstrip() for line in self.lines[below : below + 4] if line.text.strip()), "")
        self._mark = next((mark for mark in _ODD_MARKS if said.startswith(mark)), "")
        cited = _CITED.match(self.lines[index].text) or _NAMED.match(said)
        if cited is not None:
            self._initials.add(cited[1])

    def _may_be_quoted(self, text: str) -> bool:
        stripped = text.lstrip()
        return stripped.startswith((">", *_ODD_MARKS)) or self._has_initials(text)

    def _is_quoted(self, text: str) -> bool:
        head = text[:1] if "!" <= text[:1] <= "~" else text.lstrip()[:1]
        if not self._mark and not self._initials:  # most replies
            return head == ">"
        odd = self._mark and head == self._mark[0] and text.lstrip().startswith(self._mark)
        return head == ">" or bool(odd) or (bool(self._initials) and self._has_initials(text))

    def _has_initials(self, text: str) -> bool:
        match = _INITIALS.match(text) if self._initials else None
        return match is not None and match[1] in self._initials

    def _is_escaped(self, index: int) -> bool:
        if not _MBOX.match(self.lines[index].text):
            return False
        around = [self.lines[place].text for place in (index - 1, index + 1) if 0 <= place < len(self.lines)]
        return not any(self._is_quoted(text) for text in around)

    def _is_remainder(self, index: int) -> bool:
        """Return whether the line below a quoted one is what that lost at the margin: another quoted one is below."""
        above, text = self.lines[index - 1].text, self.lines[index].text
        if above.endswith(" >") and len(above) > _MARGIN // 2:
            return True
        below = self.lines[index + 1].text if index + 1 < len(self.lines) else ""
        if len(text) > _REMAINDER or not self._is_quoted(below):
            return False
        word = text.split(None, 1)[0]
        full = len(above) + 1 + len(word) > _MARGIN
        return full and (text[0].islower() or (not above.endswith((".", "!", "?", ":")) and len(text.split()) <= 3))

    def _quote_follows(self, index: int) -> bool:
        """Return whether the next line that says anything is quoted: then text below it is the author's."""
        for place in range(index, len(self.lines)):
            if self.lines[place].text.strip():
                return self.lines[place].item is None and self._is_quoted(self.lines[place].text)
        return False

    def _greets(self, rule: str, index: int) -> bool:
        """Return whether the author greets between the attribution that opens the mail and its quote."""
        first = _said(self.lines, index)
        text = self.lines[first].text.strip() if first < len(self.lines) else ""
        if not text.endswith((",", "!")) or len(text) > _GREETING or not rule.startswith("attribution"):
            return False
        return self._quote_follows(first + 1) and not any(self.lines[at].text.strip() for at in self.kept)

    def _put_below(self) -> None:
        """Cut the signature or footer that a program put below the quote, where the author wrote above it."""
        below = self.kept[self._before_quote :]
        first = next((index for index in below if self.lines[index].text.strip()), None)
        if first is None or not self._answers:
            return
        delimited = self._answers == 1 and self.lines[first].text.strip() == "--"
        if delimited or farewell.is_footer(self.lines, first):
            del self.kept[self._before_quote :]
            self._cut("signature:below-quote", first, len(self.lines))

    def _cut(self, rule: str, begin: int, end: int) -> None:
        """Record what was cut, one stretch of quoted lines as one cut."""
        cuts = trace.cuts(rule, self.lines[begin:end])
        before = self.trace[-1] if self.trace else None
        if (
            before
            and before.rule == rule == "quote"
            and before.part == cuts[0].part
            and cuts[0].start - before.end <= _LINE_END
        ):
            self.trace[-1] = Cut(rule, before.part, before.start, cuts[0].end)
        else:
            self.trace.extend(cuts)


def _initials(lines: tuple[Line, ...]) -> set[str]:
    """Return the initials that stand before `>` on two lines or more: supercite's `AL> text`."""
    seen: set[str] = set()
    twice: set[str] = set()
    for line in lines:
        text = line.text
        if ">" in text[:12] and text[0] != ">" and (match := _INITIALS.match(text)) and match[1][0].isupper():
            (twice if match[1] in seen else seen).add(match[1])
    return twice


def _without_dividers(cutting: _Cutting) -> tuple[Line, ...]:
    """Drop blank lines at the end, and rules of underscores that stood above the quote."""
    kept = [cutting.lines[index] for index in cutting.kept]
    end = len(kept)
    above = not cutting.kept or cutting.kept[-1] + 1 < len(cutting.lines)
    while end and (not kept[end - 1].text.strip() or (above and _DIVIDER.fullmatch(kept[end - 1].text.strip()))):
        end -= 1
        if kept[end].text.strip():
            cutting.trace.append(Cut("divider", kept[end].part, kept[end].start, kept[end].end))
    return tuple(kept[:end])
