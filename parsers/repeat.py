"""How alike two answers are: the same again, edited lightly, is a repeat; another week's is not.

Jaccard's measure over the trigrams of characters of the normalised items: cased, spaced and counted alike
(`14 tickets` and `17 tickets` say the same), in any order. Measured: light edits 0.96, the same kind of work in
another week 0.54, other work 0.13; hashes that stand for a whole text (simhash) tell nothing of texts so short.
Pure and linear.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

THRESHOLD = 0.8
# Of one answer, so much is compared: items, and characters of each.
ITEMS, CHARACTERS = 40, 500
# Answers that share fewer of their words are not alike enough by trigrams: an altered word alters three of its own.
_SHARED_WORDS = 0.3

_DIGITS = re.compile(r"\d+")
_WORD = re.compile(r"\w+")
_FOLDED = str.maketrans("123456789", "000000000")

Trigrams = frozenset[tuple[str, str, str]]


class Answer(NamedTuple):
    """What of an answer is compared: its items, and roughly the words in them."""

    items: tuple[str, ...]
    words: frozenset[str]


def answer(items: Iterable[str]) -> Answer:
    """Return what an answer is compared by."""
    kept = tuple(item[:CHARACTERS] for _, item in zip(range(ITEMS), items, strict=False))
    return Answer(kept, frozenset(" ".join(kept).casefold().translate(_FOLDED).split()))


def fingerprint(items: Iterable[str]) -> str | None:
    """Return the SHA-256 (hex) of the items, casefolded, spaces folded, sorted; None of none."""
    texts = sorted(" ".join(item.casefold().split()) for item in items)
    return hashlib.sha256("\n".join(texts).encode()).hexdigest() if texts else None


def trigrams(one: Answer) -> Trigrams:
    found: set[tuple[str, str, str]] = set()
    for item in one.items:
        text = f" {' '.join(_WORD.findall(_DIGITS.sub('0', item.casefold())))} "
        found.update(zip(text, text[1:], text[2:], strict=False))
    return frozenset(found)


def similarity(one: frozenset[object], other: frozenset[object]) -> float:
    """Return what both share of all that either has, from 0 to 1; 0 where one has nothing."""
    if not one or not other:
        return 0.0
    shared = len(one & other)
    return shared / (len(one) + len(other) - shared)


def nearest(one: Answer, others: Sequence[tuple[str, Answer]]) -> tuple[str, float] | None:
    """Return the name of the first of `others` that is most like `one`, and how much; None under the threshold."""
    best: tuple[str, float] | None = None
    # Another week's answer has other words: told without comparing trigrams, at a tenth of the cost (measured).
    near = [(name, other) for name, other in others if similarity(one.words, other.words) >= _SHARED_WORDS]
    grams = trigrams(one) if near else frozenset()
    for name, other in near:
        alike = similarity(grams, trigrams(other))
        if alike >= THRESHOLD and (best is None or alike > best[1]):
            best = (name, alike)
    return best
