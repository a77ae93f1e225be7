"""The options of `simulate`: what comes, what it comes to, and how it is sent."""

from pathlib import Path
from typing import Annotated

from typer import Option

from storage.records import WhenFull

# What is sent has these many letters where nobody says how many; on paper it is the incident.
SENT, ON_PAPER = 5_000, 2_300_000

Messages = Annotated[
    int | None, Option("--messages", metavar="N", help=f"Letters: else {ON_PAPER}, or {SENT} with --send.")
]
Window = Annotated[str, Option("--window", metavar="TIME", help="From the opening to the deadline.")]
Rush = Annotated[str, Option("--rush", metavar="TIME", help="The last part, in which most write.")]
RushShare = Annotated[float, Option("--rush-share", metavar="%", help="How many write in it.")]
Peak = Annotated[float, Option("--peak", metavar="TIMES", help="The last minute, in means of the rush's minutes.")]
Mix = Annotated[
    str | None,
    Option("--mix", metavar="SIZE:SHARE,…", help="Mean sizes and shares: else 2kB:20,45kB:78,1MB:2; sent as written."),
]
Spread = Annotated[float, Option("--spread", help="How far sizes spread around each mean (sigma of a lognormal).")]

LimitOctets = Annotated[str | None, Option("--quota", metavar="SIZE", help="The mailbox's; on paper else 50GB.")]
LimitMessages = Annotated[str, Option("--quota-messages", metavar="N", help="Its limit in messages, or none.")]
Grace = Annotated[str, Option("--grace", metavar="SIZE", help="How far the last one may pass it.")]
Rate = Annotated[str, Option("--rate", metavar="N", help="Its messages an hour, or none.")]
Mode = Annotated[WhenFull, Option("--when-full", help="What becomes of mail then.")]
Raises = Annotated[
    list[str] | None,
    Option("--raise", metavar="WHEN=SIZE", help="A new limit: 47h=60GB, or before the deadline -30min=60GB."),
]
Purges = Annotated[list[str] | None, Option("--purge", metavar="WHEN=SIZE", help="What goes: -1h=10GB or -1h=50%.")]

Retry = Annotated[
    str, Option("--retry", metavar="FIRST,MOST,FOR", help="Waits of a server after a 4xx, and when it gives up.")
]
Again = Annotated[float, Option("--again", metavar="%", help="How many who are bounced write again (on paper).")]
AgainAfter = Annotated[str, Option("--again-after", metavar="TIME", help="How much later, on average.")]
Seed = Annotated[int, Option("--seed", metavar="N", help="The same seed, the same load and result.")]
Chart = Annotated[Path | None, Option("--chart", metavar="FILE", help="Draw it, as SVG.")]

Send = Annotated[str | None, Option("--send", metavar="HOST:PORT", help="Really send it, to this machine's listener.")]
To = Annotated[str | None, Option("--to", metavar="ADDRESS", help="With --send: the mailbox.")]
Duration = Annotated[str, Option("--duration", metavar="TIME", help="With --send: what stands for the window.")]
Connections = Annotated[int, Option("--connections", metavar="N", help="At one time, at most.")]
MaxRate = Annotated[float, Option("--max-rate", metavar="N", help="Tries a second, at most.")]
MaxOctets = Annotated[str, Option("--max-octets", metavar="SIZE", help="Octets in all, at most.")]
Single = Annotated[float, Option("--single", metavar="%", help="Connections that carry one letter only.")]
Reuse = Annotated[int, Option("--reuse", metavar="N", help="Letters that the others carry, at most.")]
Linger = Annotated[str, Option("--linger", metavar="TIME", help="How long tries go on after the deadline.")]
Log = Annotated[Path | None, Option("--log", metavar="FILE", help="With --send: one JSON line a try.")]
YesTo = Annotated[str | None, Option("--yes-to", metavar="HOST", help="Names a host that is not this machine.")]
