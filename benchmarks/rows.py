"""What is measured together: rows of peers and workloads, each measured and kept apart from the others."""

from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.workloads import Burst, Flood, Idle, Scale, Steady, Stored, Workload


@dataclass(frozen=True, slots=True)
class Row:
    """Peers that take turns at workloads; `most` bounds the rounds of what takes long.

    Rows that are not `needed` have no figure to reach; they are measured with `--full`, or when they are named.
    """

    title: str
    peers: tuple[str, ...]
    workloads: tuple[Workload, ...]
    mailboxes: int = 1
    most: int = 5
    needed: bool = True


ROWS: Mapping[str, Row] = {
    "speed": Row(
        "Replies of 2 kB to one mailbox",
        ("postfix", "pulsebox", "pulsebox-postgresql"),
        (Flood("2 kB", "conn", 8_000), Flood("2 kB", "reuse", 8_000)),
    ),
    "quota": Row(
        "Replies of 2 kB to 100 mailboxes with a quota",
        ("dovecot", "pulsebox"),
        (Flood("2 kB", "conn", 6_000), Flood("2 kB", "reuse", 6_000)),
        mailboxes=100,
    ),
    "html": Row("Replies of 45 kB", ("postfix", "pulsebox"), (Flood("45 kB", "reuse", 2_500),)),
    "latency": Row(
        "From the final dot to the 250, messages sent at a rate",
        ("postfix", "pulsebox"),
        (Steady(200), Steady(800), Steady(2_500)),
    ),
    "idle": Row("Idle connections", ("postfix", "aiosmtpd", "pulsebox"), (Idle(),), most=1),
    "stored": Row("Storing as the mail grows", ("pulsebox-taking",), (Stored(),), most=1),
    "burst": Row("A burst", ("pulsebox",), (Burst(3_000),), most=1),
    "peers": Row(
        "All peers, replies of 2 kB",
        (
            *("postfix", "haraka", "aiosmtpd", "aiosmtpd-uvloop", "smtp-sink"),
            *("pulsebox", "pulsebox-postgresql", "pulsebox-taking", "pulsebox-postgresql-taking"),
        ),
        (Flood("2 kB", "conn", 5_000), Flood("2 kB", "reuse", 5_000)),
        needed=False,
    ),
    "sizes": Row(
        "Sizes",
        ("postfix", "haraka", "pulsebox", "pulsebox-postgresql"),
        tuple(
            Flood(size, way, messages)
            for size, messages in (("1 kB", 5_000), ("2 kB", 5_000), ("45 kB", 2_000), ("1 MB", 150))
            for way in ("conn", "reuse")
        ),
        needed=False,
    ),
    "one-mailbox": Row(
        "Replies of 2 kB to one mailbox with a quota",
        ("dovecot", "pulsebox", "pulsebox-postgresql"),
        (Flood("2 kB", "conn", 6_000), Flood("2 kB", "reuse", 6_000)),
        most=2,
        needed=False,
    ),
    "latency-postgresql": Row(
        "From the final dot to the 250, PostgreSQL",
        ("pulsebox-postgresql",),
        (Steady(200), Steady(800), Steady(2_500)),
        most=3,
        needed=False,
    ),
    "stored-postgresql": Row(
        "Storing as the mail grows, PostgreSQL", ("pulsebox-postgresql-taking",), (Stored(),), most=1, needed=False
    ),
    "burst-postgresql": Row("A burst, PostgreSQL", ("pulsebox-postgresql",), (Burst(3_000),), most=1, needed=False),
}
SCALES: Mapping[str, Scale] = {
    # A look at everything in a few minutes; its figures are rough.
    "quick": Scale("quick", share=0.15, seconds=3, burst=5, stored=10_000, rounds=1),
    "figures": Scale("figures", share=1.0, seconds=10, burst=60, stored=1_000_000, rounds=3),
    "full": Scale("full", share=1.0, seconds=20, burst=60, stored=1_000_000, rounds=5),
}
