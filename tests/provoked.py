"""Every report that a test of this process provoked: read by Sisimai and flufl.bounce once all tests are over.

What neither of them knows is left out: addresses outside ASCII (RFC 6533), and for flufl.bounce recipients that their
sender called otherwise (ORCPT).
"""

import email
import json
import mailbox
import re
import subprocess
from email.message import Message
from pathlib import Path

import flufl.bounce

# Sisimai 4.25's own reading of the codes; where a report says why, that must agree.
REASONS = {
    "5.2.2": "mailboxfull",
    "4.2.2": "mailboxfull",
    "5.2.3": "exceedlimit",
    "5.3.4": "mesgtoobig",
    "5.1.1": "userunknown",
    # It knows no code for too many messages an hour, and says that it does not know why.
    "5.2.121": "onhold",
    "5.2.122": "onhold",
    "2.1.5": "delivered",
}
# Ten thousand are as good as so many.
KEPT = 300
_KEPT: dict[str, bytes] = {}

# Messages come in lines, in hexadecimal; an answer goes out for each.
_SISIMAI = """
use Sisimai; use JSON;
while (<STDIN>) {
    chomp; my $mail = pack 'H*', $_;
    my $found = Sisimai->make(\\$mail, delivered => 1) || [];
    print JSON->new->canonical->encode([map { $_->damn } @$found]), "\\n";
}
"""


def keep(octets: bytes) -> None:
    """Remember a report by its Message-ID; other mail, and what is sent again, is not kept."""
    report = email.message_from_bytes(octets)
    if report.get_content_type() == "multipart/report" and len(_KEPT) < KEPT:
        _KEPT.setdefault(str(report["Message-ID"]), octets)


def keep_maildir(folder: Path) -> None:
    if (folder / "new").is_dir():
        for key in (box := mailbox.Maildir(folder, create=False)).keys():  # noqa: SIM118  # a Maildir iterates over messages
            keep(box.get_bytes(key))


def sisimai(*reports: bytes) -> list[list[dict[str, str]]]:
    """Return what Sisimai reads in each report, a recipient each; none where it is no report to it."""
    given = "".join(f"{octets.hex()}\n" for octets in reports)
    done = subprocess.run(
        ["perl", "-e", _SISIMAI], input=given, capture_output=True, check=True, timeout=120, text=True
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def misread() -> list[str]:
    """Return a line for each report that a reader takes for something else than it says."""
    plain = [octets for octets in _KEPT.values() if _is_plain(octets)]
    found = zip(plain, sisimai(*plain), strict=True) if plain else ()
    return [line for octets, reads in found for line in _compared(octets, reads)]


def _is_plain(octets: bytes) -> bool:
    """Say whether all addresses are in ASCII; an empty group stands for one that cannot be written so (RFC 6857)."""
    named = str(email.message_from_bytes(octets)["To"]).endswith(">")
    return octets.isascii() and named and "utf-8;" not in _status(octets).lower()


def _status(octets: bytes) -> str:
    for part in email.message_from_bytes(octets).walk():
        if part.get_content_type() == "message/delivery-status":
            return "\n\n".join(str(group) for group in part.get_payload() if isinstance(group, Message))
    return "utf-8;"


def _compared(octets: bytes, reads: list[dict[str, str]]) -> list[str]:
    status = _status(octets)
    codes = re.findall(r"(?m)^Status: (\S+)", status)
    lines = []
    if sorted(each["reason"] for each in reads) != sorted(REASONS[code] for code in codes):
        lines.append(
            f"Sisimai reads {[each['reason'] for each in reads]} in {codes}: {octets.decode('utf-8', 'replace')}"
        )
    if "Original-Recipient" not in status:
        failed = {each.lower() for each in re.findall(r"(?m)^Final-Recipient: rfc822; ?(\S+)\n+Action: failed", status)}
        _, permanent = flufl.bounce.all_failures(email.message_from_bytes(octets))
        if {each.decode().lower() for each in permanent} != failed:
            lines.append(f"flufl.bounce reads {permanent} for {failed}: {octets.decode('utf-8', 'replace')}")
    return lines
