"""What kind of answer a reply is: by how many items it has, and whether it says that all of them are sensitive."""

import re
from collections.abc import Sequence

from parsers.model import Line, Segments, Status

FEWEST, MOST = 3, 10
# A longer reply says more than that.
_SHORT_CHARACTERS = 400

_GREETS = r"(?:hi|hello|hey|dear|greetings|good (?:morning|afternoon|evening|day))(?: \w+){0,4}?"
_LEAVES = r"(?:thanks|thank you|regards|best|best regards|respectfully|very respectfully|v r|vr|sincerely)(?: \w+){0,4}"
_WHEN = (
    r"(?: (?:that |which )?(?:i|we) (?:did|do|perform|performed|completed|conducted|worked on))?"
    r"(?: (?:for|from|during|over|in|of))?(?: the)?(?: (?:this|last|past|previous|prior))?"
    r"(?: reporting)?(?: week| period)?"
)
_WORK = (
    r"(?:(?:work|weekly|official|assigned|daily|current|job|mission) ){0,2}"
    r"(?:activities|activity|work|tasks|accomplishments|duties|projects|assignments|actions|items)"
)
_IS = r"(?:are|is|were|was|remain|remains)(?: (?:all|both|either|highly|considered|deemed|of a|law enforcement)){0,3}"
_SO = (
    r"(?:sensitive|classified)(?: (?:or|and|and or) (?:sensitive|classified))?(?: (?:in )?nature| information)?"
    r"(?: (?:and|so|i|they|it|we) ?(?:they |it |i |we )?(?:cannot|can not|can t|may not) (?:be )?"
    r"(?:shared?|disclosed?|discuss(?:ed)?|list(?:ed)?|provided?)(?: here| them| it| by e ?mail| in this e ?mail)?)?"
)
_SENSITIVE = re.compile(
    rf"(?:{_GREETS} )?(?:"
    rf"all (?:of )?(?:(?:my|our|the) )?(?:(?:last|this|past) week s )?{_WORK}{_WHEN} {_IS}"
    rf"|(?:my|our) {_WORK}{_WHEN} {_IS.replace('(?: (?:all', ' all(?: (?:all', 1)}"
    rf"|(?:everything|all)(?: that)? (?:i|we) (?:did|do|worked on|work on){_WHEN} {_IS}"
    rf") {_SO}(?: {_LEAVES})?",
    re.IGNORECASE,
)
_GREETING = re.compile(_GREETS, re.IGNORECASE)
_SAYS_MORE = re.compile(r"[!?;]$|\w{3}\.$|^(?:but|except|however|although|i|we)\b", re.IGNORECASE)
_NO_WORD = re.compile(r"[^\w ]+")


def status(segments: Segments, lines: Sequence[Line]) -> Status:
    """Return what kind of answer was divided into `segments`; `lines` are what its author wrote, unsigned."""
    if _is_sensitive(segments, lines):
        return Status.SENSITIVE
    asked = sum(1 for bullet in segments.bullets if bullet.level == 0)
    if asked == 0:
        return Status.EMPTY
    if asked < FEWEST:
        return Status.FEW
    return Status.MANY if asked > MOST else Status.OK


def _is_sensitive(segments: Segments, lines: Sequence[Line]) -> bool:
    """Return whether the reply says that all of it is sensitive, and names nothing beside greeting and name."""
    if sum([len(line.text) for line in lines]) > _SHORT_CHARACTERS:
        return False
    marked = [bullet.text for bullet in segments.bullets if bullet.kind not in ("paragraph", "semicolon")]
    if marked and not all(_says_sensitive(text) for text in marked):
        return False
    rest = segments.leftover.split("\n") if marked else _without_statement([line.text for line in lines])
    return rest is not None and all(_is_courtesy(text) for text in rest)


def _without_statement(texts: list[str]) -> list[str] | None:
    """Return the lines beside the one or more that say so, None if none do."""
    for length in (1, 2, 3):
        for index in range(len(texts) - length + 1):
            if _says_sensitive(" ".join(texts[index : index + length])):
                return texts[:index] + texts[index + length :]
    return None


def _is_courtesy(text: str) -> bool:
    """Return whether a line is a greeting, a heading, or of a name block: no sentence of its own."""
    words = _words(text)
    if not words or _GREETING.fullmatch(words) or text.rstrip().endswith((":", ",")):
        return True
    return len(words.split()) <= 8 and not text[:1].islower() and not _SAYS_MORE.search(text)


def _says_sensitive(text: str) -> bool:
    return bool(_SENSITIVE.fullmatch(_words(text)))


def _words(text: str) -> str:
    return " ".join(_NO_WORD.sub(" ", text).split())
