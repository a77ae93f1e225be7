# ruff: noqa: RUF001  people type curved quotes
"""Names of people that may stand in a text: words with capitals, side by side. Who they are, the roster tells."""

import re
from collections.abc import Iterable, Iterator

# So many names are looked up for one reply: more than anybody names, and few enough for one statement.
MOST = 200
_LONGEST_RUN = 40
# What may stand at a word without being of it, before and behind; the latter ends a run of names.
_OPENS = "([{\"'“‘«*_"
_ENDS = '.,;:!?)]}"”»*_/'
_POSSESSIVES = ("'s", "’s", "'", "’")
# Two words side by side that may have capitals: most items have none, and are told at an eighth of the cost (measured).
# One character alone is looked for at each place, then that a word begins with it: one of `(A(A(A…` would be read
# through again at each letter, and wide spaces, which are beyond ASCII as well, at each of them.
_OPEN, _LARGE = re.escape(_OPENS), r"A-Z\x80-\U0010ffff"
_PAIR = re.compile(
    rf"[{_OPEN}{_LARGE}](?<!\S[\s\S])(?<!\s)(?:(?<=[{_LARGE}])|[{_OPEN}]*+[{_LARGE}])\S*+\s++[{_OPEN}]*+[{_LARGE}]"
)


def names_in(texts: Iterable[str]) -> frozenset[str]:
    """Return what could be names in these texts: two or three words with capitals in a row, initials left out."""
    found: dict[str, None] = {}
    for text in texts:
        if _PAIR.search(text) is None:
            continue
        for run in _runs(text):
            for size in (2, 3):
                found.update(dict.fromkeys(" ".join(run[at : at + size]) for at in range(len(run) - size + 1)))
            if len(found) >= MOST:
                return frozenset(list(found)[:MOST])
    return frozenset(found)


def _runs(text: str) -> Iterator[list[str]]:
    """Give the runs of two capitalised words and more; punctuation ends one, unless it is an initial's full stop."""
    run: list[str] = []
    for word in text.split():
        # Most words begin small, and cost no more than this.
        begins = word[0].isupper() or word[0] in _OPENS
        bare = _bare(word) if begins else ""
        if not bare[:1].isupper() or word[0] in _OPENS:
            if len(run) > 1:
                yield run
            run = []
        if len(bare) > 1 and bare[0].isupper():
            run.append(bare)
        if bare and ((len(bare) > 1 and word[-1] in _ENDS) or len(run) == _LONGEST_RUN):
            if len(run) > 1:
                yield run
            run = []
    if len(run) > 1:
        yield run


def _bare(word: str) -> str:
    """Return a word without what stands around it, and without its possessive."""
    stripped = word.lstrip(_OPENS).rstrip(_ENDS)
    ending = next((each for each in _POSSESSIVES if stripped.endswith(each)), "")
    return stripped.removesuffix(ending)
