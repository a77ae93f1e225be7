# ruff: noqa: RUF001, RUF003  the marks are what people type, look-alikes and all
"""What people and mail programs put before a list item: one row a form, the first that fits wins.

`bold` marks are believed without company where the place speaks for a list; the others need `need` of their
like, or of their sequence. `counts` tells numbers and letters, which are believed in sequence; `alone` what is never
anything but a mark.
"""

from dataclasses import dataclass

# Possessive: white space that leads nowhere is gone over once.
GAP = r"[ \t]++(?=\S)"
ANY = r"[ \t]*+(?=\S)"
WIDE = r"(?:[ ]*+\t|[ ]{2,}+)[ \t]*+(?=\S)"
DOTS = "•·‣‧◎▪▫◦●○◘◙■□◆◇❖►▶▸▹▻➢➣➤⁃⦁⦿∙⋅∘✦✧★☆✱✲✳❥ᐅ・･"
ARROWS = "→⇒➔➜➛»›"
CIRCLED = "①-⓿❶-➓"
EMOJI = "\u231a\u231b\u23e9-\u23fa\U0001f300-\U0001faff\u2600-\u27bf\u2b00-\u2bff"
DASHES = "-–−‒‐‑－"
# Letters that people count with; where one stands in its row is its value.
ALPHABETS = (
    "abcdefghijklmnopqrstuvwxyz",
    "абвгдежзиклмн",
    "αβγδεζηθικλμ",
    "가나다라마바사아자차카타파하",
    "אבגדהוזחטי",
    "أبجدهوزحطي",
    "アイウエオカキクケコ",
    "イロハニホヘト",
    "甲乙丙丁戊己庚辛壬癸",
)
CHINESE = "一二三四五六七八九十"
ROMAN = {
    "i": 1,
    "ii": 2,
    "iii": 3,
    "iv": 4,
    "v": 5,
    "vi": 6,
    "vii": 7,
    "viii": 8,
    "ix": 9,
    "x": 10,
    "xi": 11,
    "xii": 12,
}
_LETTERS = "A-Za-z" + "".join(ALPHABETS[1:]) + ALPHABETS[1].upper()
# What people write before the number of an item, other than the number.
COUNTED = "item|bullet|point|task|accomplishment|activity|no|nr|№"


@dataclass(frozen=True, slots=True)
class Shape:
    """One row: the kind that a bullet gets, the mark, what must follow it, and how far to trust it."""

    kind: str
    mark: str
    after: str
    bold: bool = True
    need: int = 2
    counts: bool = False
    alone: bool = False


SHAPES = (
    # Markdown's task lists.
    Shape("dash", rf"[{DASHES}] \[[ xX]\]", GAP),
    Shape("star", r"\* \[[ xX]\]", GAP),
    # PGP escapes a line's first dash with another (RFC 4880 section 7.1).
    Shape("dash", "- -", GAP),
    Shape("dash", rf"[{DASHES}]", GAP),
    # `+ Ann` adds a reader as often.
    Shape("dash", r"\+", GAP, bold=False),
    Shape("dash", "-->|==>|->|=>", GAP, bold=False),
    # `— Ann` and `-- Ann` are signatures as often.
    Shape("dash", "—|―|--|~", GAP, bold=False),
    # Below `*`, as in wikis and Emacs's Org.
    Shape("star", r"\*{2,4}", GAP, bold=False, need=1),
    Shape("star", "[*∗＊]", GAP),
    Shape("star", r"\*\)|\([*o+-]\)", GAP, bold=False),
    Shape("dot", f"[{DOTS}]", ANY, alone=True),
    Shape("dot", f"[{ARROWS}]", ANY, bold=False),
    # Japanese and Korean; a note on the text above as often.
    Shape("dot", "※", ANY, bold=False),
    # `•`, `·`, `–` in UTF-8 that was read as cp1252 and sent on.
    Shape("dot", "â€¢|Â·|â€“|ï‚·", ANY),
    # Wingdings and Courier letters that stand for glyphs (Outlook); `?` is a glyph that a charset lost.
    Shape("dot", "[o§Øü?]", WIDE),
    Shape("dot", "[oO?§Øü]", GAP, bold=False),
    Shape("emoji", "(?:[0-9#*]\ufe0f?\u20e3|🔟|[☐☑☒✅✔✓✗✘❎❌➕☛☞✍]\ufe0f?)", ANY),
    Shape("emoji", r"\[[ xX*+-]\]", GAP),
    Shape("circled", f"[{CIRCLED}]", ANY),
    Shape("number", r"\*{1,2}\d{1,2}[.)]\*{1,2}", ANY, counts=True),
    Shape("number", r"\d{1,2}(?:\.\d{1,2}){1,3}[.):]?", GAP, bold=False, counts=True),
    Shape("number", r"\d{1,2}[-–]\d{1,2}[.)]", GAP, bold=False, counts=True),
    # Spanish `1.-`, Chinese `1、` and `（1）`, the full stop of full-width forms.
    Shape("number", r"[(（]?\d{1,2}(?:\.\)|\.-|[)）．、]|\.(?!\d))", ANY, counts=True),
    Shape("number", r"\d{1,2}[a-z][.)]", GAP, counts=True),
    Shape("number", r"(?:\d{1,2}:|#\d{1,2}[.:)]?|\d{1,2} ?[-–—])", GAP, counts=True),
    Shape("number", r"\d{1,2}(?:(?:st|nd|rd|th)[:.)]|[/°º])", GAP, counts=True),
    Shape("number", rf"(?i:{COUNTED})\.? ?#?\d{{1,2}} ?[-–.:)]", GAP, counts=True),
    Shape("number", r"(?:(?i:no|nr|n[°º])\.? ?|№ ?)\d{1,2}", GAP, bold=False, counts=True),
    Shape("number", rf"[(（]?[{CHINESE}]{{1,3}}[、.．)）]", ANY, counts=True),
    Shape("number", rf"第(?:[{CHINESE}]{{1,3}}|\d{{1,2}})[点點条條项項]?[、，,：:.]", ANY, counts=True),
    Shape("number", r"[【〔［]\d{1,2}[】〕］]", ANY, counts=True),
    Shape("letter", rf"[(（]?(?:[{_LETTERS}]|[ivxIVX]{{2,4}})(?:\.\)|[.)）])", GAP, bold=False, counts=True),
    # Scripts that write no space there.
    Shape("letter", rf"[(（]?[{''.join(ALPHABETS[3:])}][.．、)）]", ANY, bold=False, counts=True),
    # `Q: … A: …` is talk.
    Shape("letter", r"[A-Za-z](?::| ?[-–])", GAP, bold=False, need=3, counts=True),
    Shape("number", r"\d{1,2}", GAP, bold=False, need=3, counts=True),
    Shape("dash", r"[-–—](?=[\w\"'(\[$])", "", bold=False),
    Shape("star", r"\*(?=[^\s*][^*]*$)", "", bold=False),
    Shape("dot", r"\.", GAP, bold=False),
    Shape("dot", "\ufffd", ANY, bold=False),
    Shape("emoji", f"[{EMOJI}][\ufe0f\u200d\U0001f3fb-\U0001f3ff]*+", ANY, bold=False),
)  # fmt: skip
# A mark that is all of its line: Gmail's text part puts it there, its item below.
LONE = rf"[{DASHES}—*o§+{DOTS}{ARROWS}☐✅{CIRCLED}]|\(?\d{{1,2}}[.)]|[a-z][.)]"
