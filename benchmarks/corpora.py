"""How well the parser reads: exact results and token F1 over corpora, one line each, with one configuration.

A corpus is a `.jsonl` file of bare bodies (`policy` says what is asked of each: `quote` the author's own text,
`quote+sig` the same without the signature, `bullets` the exact list, and none of the `needles` anywhere), or a
folder of whole messages NAME.eml, each beside NAME.expected.json with `bullets`, texts or objects with a `text`,
and perhaps their `kinds`; `request` and `null_sender` are what the parser is told beside the mail.

Exact means equal after NFKC with every run of white space as one space; token F1 is over `\\w+`, casefolded, as
multisets, the mean of all cases.
"""

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from parsers import parse
from parsers.model import Explained

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = (ROOT.parent / "shared" / "corpora", ROOT / "tests" / "corpus")
# What the best of the libraries that were measured gets, exact and F1 in percent, as the corpora's README has it.
BEST = {
    "crisp": "73.5 / 94.3",
    "github_erp": "90.9 / 94.7",
    "unquotemail_text": "80.2 / 92.9",
    "unquotemail_html": "94.1 / 95.7",
    "bullets5_text": "58.9",
    "bullets5_html": "76.9",
}
# Kinds that nothing marks as a list.
UNMARKED = frozenset({"paragraph", "semicolon"})


@dataclass(frozen=True, slots=True)
class Case:
    """One mail: what was expected and what was got, as items, and which needles were found in what was read."""

    name: str
    expected: tuple[str, ...]
    got: tuple[str, ...]
    leaks: tuple[str, ...] = ()

    @property
    def exact(self) -> bool:
        return not self.leaks and [folded(each) for each in self.got] == [folded(each) for each in self.expected]

    @property
    def f1(self) -> float:
        wanted, found = _tokens(self.expected), _tokens(self.got)
        total = wanted.total() + found.total()
        return 2 * (wanted & found).total() / total if total else 1.0


@dataclass(frozen=True, slots=True)
class Corpus:
    """`lists` tells that its cases are lists of bullets, which may be expected to be empty."""

    name: str
    cases: tuple[Case, ...]
    lists: bool


def run(console: Console, folders: Sequence[Path], *, marked: bool, misses: bool) -> None:
    """Print a line for each corpus, and with `misses` what went wrong; `marked` counts marked items only."""
    found = [each for folder in folders or FOLDERS if folder.is_dir() for each in corpora(folder, marked=marked)]
    table = Table(title=f"Exact results in percent{', marked items only' if marked else ''}", title_justify="left")
    table.add_column("corpus")
    for heading in ("cases", "exact %", "token F1 %", "best known", "lists", "lists %", "empty ones", "empty %"):
        table.add_column(heading, justify="right")
    for corpus in found:
        table.add_row(corpus.name, *_figures(corpus))
    console.print(table)
    for corpus in found if misses else ():
        for case in corpus.cases:
            if not case.exact:
                _print_miss(console, corpus, case)


def corpora(folder: Path, *, marked: bool) -> Iterator[Corpus]:
    """Yield the corpora of a folder: each of its `.jsonl` files, and all its `.eml` files together."""
    for file in sorted(folder.glob("*.jsonl")):
        rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
        lists = any(row["policy"] == "bullets" for row in rows)
        yield Corpus(file.stem, tuple(_body_case(row, marked) for row in rows), lists)
    mails = [mail for mail in sorted(folder.glob("*.eml")) if _expectation(mail).is_file()]
    if mails:
        yield Corpus(folder.name, tuple(_mail_case(mail, marked) for mail in mails), lists=True)


def folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).split())


def _body_case(row: dict[str, Any], marked: bool) -> Case:
    explained = parse.explain_body(row["input"], html=row["kind"] == "html")
    if row["policy"] == "bullets":
        # A reply that says only that all is sensitive has no list; `bullets` is what a trimmer should leave of it.
        wanted = row.get("bullets_list", row["bullets"])
        return Case(row["id"], tuple(wanted), _bullets(explained, marked), _leaks(explained, row["needles"]))
    got = explained.reply if row["policy"] == "quote" else explained.unsigned
    return Case(row["id"], (row["expected"],), (got,))


def _mail_case(mail: Path, marked: bool) -> Case:
    wanted = json.loads(_expectation(mail).read_text(encoding="utf-8"))
    texts = [each if isinstance(each, str) else each["text"] for each in wanted["bullets"]]
    kinds = wanted.get("kinds") or [None] * len(texts)
    kept = tuple(text for text, kind in zip(texts, kinds, strict=True) if not (marked and kind in UNMARKED))
    told = {name: wanted[name] for name in ("request", "null_sender") if name in wanted}
    return Case(mail.stem, kept, _bullets(parse.explain(mail.read_bytes(), **told), marked))


def _expectation(mail: Path) -> Path:
    return mail.with_suffix(".expected.json")


def _bullets(explained: Explained, marked: bool) -> tuple[str, ...]:
    return tuple(each.text for each in explained.reading.bullets if not (marked and each.kind in UNMARKED))


def _leaks(explained: Explained, needles: Sequence[str]) -> tuple[str, ...]:
    read = [folded(each) for each in (*_bullets(explained, marked=False), explained.reading.leftover)]
    return tuple(needle for needle in needles if any(folded(needle) in each for each in read))


def _tokens(texts: Sequence[str]) -> Counter[str]:
    return Counter(re.findall(r"\w+", folded("\n".join(texts)).casefold()))


def _figures(corpus: Corpus) -> list[str]:
    filled = [case for case in corpus.cases if case.expected]
    empty = [case for case in corpus.cases if not case.expected]
    lists = [str(len(filled)), _share(filled), str(len(empty)), _share(empty)] if corpus.lists else [""] * 4
    f1 = _share(corpus.cases, lambda case: case.f1)
    return [str(len(corpus.cases)), _share(corpus.cases), f1, BEST.get(corpus.name, ""), *lists]


def _share(cases: Sequence[Case], worth: Callable[[Case], float] = lambda case: case.exact) -> str:
    return f"{100 * sum(map(worth, cases)) / len(cases):.1f}" if cases else ""


def _print_miss(console: Console, corpus: Corpus, case: Case) -> None:
    console.print(Text(f"\n{corpus.name} {case.name}   F1 {100 * case.f1:.1f}", style="bold"))
    for title, texts in (("expected", case.expected), ("got", case.got), ("leaked", case.leaks)):
        said = [json.dumps(text, ensure_ascii=False) for text in texts] or ["nothing"]
        for line in said if texts or title != "leaked" else ():
            console.print(Text(f"  {title:8} {line}"), soft_wrap=True)
