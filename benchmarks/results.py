"""What was measured, kept as a file for each row: `results/speed.json` and so on. The documents are made from them."""

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.rounds import Values
from benchmarks.rows import ROWS

KEPT = Path(__file__).resolve().parent / "results"
# Where a quick look goes: it must not replace what the documents are made from.
PASSING = Path(__file__).resolve().parents[1] / "var/benchmarks"


@dataclass(frozen=True, slots=True)
class Result:
    """One row as it was measured: when, of which revision, on what machine, and the values of all rounds."""

    row: str
    scale: str
    at: str
    revision: str
    seconds: float
    machine: Mapping[str, Any]
    rounds: int
    values: Values
    failed: Mapping[str, str]

    def each(self, peer: str, workload: str, measure: str) -> Sequence[float | None]:
        """Return the value of each round, None where there is none."""
        found = self.values.get(peer, {}).get(workload, {}).get(measure, [])
        return [*found, *[None] * (self.rounds - len(found))]


def keep(result: Result, folder: Path) -> Path:
    """Write a result over the one that was there, whole or not at all; return its file."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{result.row}.json"
    part = file.with_suffix(".part")
    text = json.dumps(_rounded(asdict(result)), indent=1, ensure_ascii=False)
    part.write_text(text + "\n", encoding="utf-8")
    part.replace(file)
    return file


def _rounded(value: Any) -> Any:
    """Return it with numbers of five digits: the rest is noise."""
    if isinstance(value, dict):
        return {key: _rounded(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_rounded(each) for each in value]
    return float(f"{value:.5g}") if isinstance(value, float) else value


def kept(folder: Path) -> Mapping[str, Result]:
    """Return the results that are in a folder, in the order of the rows."""
    files = {name: folder / f"{name}.json" for name in ROWS}
    return {
        name: Result(**json.loads(file.read_text(encoding="utf-8"))) for name, file in files.items() if file.exists()
    }


def median(values: Sequence[float | None]) -> float | None:
    """Return the median of the rounds that have a value; None when none has."""
    there = [value for value in values if value is not None]
    return statistics.median(there) if there else None
