"""The conformance lines: number, rule and sources, in our own words, kept here alone.

`docs/conformance.md` is written from this and from the names of the tests; an architecture test holds the
three together.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """One line: `chapter` groups lines in the document, `sources` names RFC and section."""

    chapter: str
    text: str
    sources: str


SESSION, SIZE, PARAMETERS = "The session", "Sizes", "What a sender may ask about notices"
FORM, AUTOMATIC, CODES = "The form of a delivery status notification", "Automatic mail", "Codes"

RULES: dict[int, Rule] = {
    1: Rule(SESSION, "A message ends at a dot that is alone between two CRLF, and nowhere else.", "RFC 5321 4.1.1.4"),
    2: Rule(
        SESSION,
        "Bare CR, bare LF and NUL meet one policy, in commands and in content: `reject` answers 521 or 550 and closes, "
        "`normalize` makes them good before anything is hashed or parsed.",
        "RFC 5321 2.3.8",
    ),
    3: Rule(SESSION, "One leading dot is taken from each line that has one, once.", "RFC 5321 4.5.2"),
    4: Rule(
        SESSION, "The null reverse-path is taken, and mail from it is never answered with a notice.", "RFC 5321 4.5.5"
    ),
    5: Rule(
        SESSION,
        "At least 64 octets of a local part, 255 of a domain, 512 of a command and 1,000 of a text line are taken; "
        "text lines may be as long as the message.",
        "RFC 5321 4.5.3.1",
    ),
    6: Rule(
        SESSION, "One recipient too many is 452 4.5.3, and the others get the mail.", "RFC 5321 4.5.3.1.8, 4.5.3.1.10"
    ),
    7: Rule(
        SESSION,
        "A command out of order is 503 5.5.1, bad syntax 501 5.5.4 (a path 553), an unknown parameter 555 5.5.4; "
        "every form of a path that the grammar has is understood, and postmaster without a domain.",
        "RFC 5321 4.1, 4.2.4",
    ),
    8: Rule(
        SESSION,
        "EHLO, HELO and RSET clear the transaction, the end of DATA too; a refused MAIL starts none; no other error "
        "ends one.",
        "RFC 5321 4.1.1.5, 4.1.4",
    ),
    9: Rule(
        SESSION,
        "Where every recipient was refused DATA is 554 and never 354, in a pipelined group too.",
        "RFC 5321 3.3; RFC 2920 3.1",
    ),
    10: Rule(SESSION, "250 is said to the end of DATA only once the message is committed.", "RFC 5321 4.2.5, 6.1"),
    11: Rule(
        SESSION,
        "Any failure of ours is 451 4.3.0 in fixed words: never permanent, never with what went wrong.",
        "RFC 5321 4.2.1",
    ),
    12: Rule(
        SESSION,
        "A client may wait five minutes before each command; progress in DATA begins the wait anew, as long as it "
        "keeps a minimum rate; 421 is said before the server closes of itself.",
        "RFC 5321 3.8, 4.5.3.2",
    ),
    13: Rule(
        SESSION,
        "Received and Return-Path are made when the message is stored, and kept beside its octets; over 50 Received "
        "fields are a loop, 554 5.4.6.",
        "RFC 5321 4.4, 6.3",
    ),
    14: Rule(
        SESSION,
        "VRFY is 252 for every name; no reply tells a program, a version or anything internal.",
        "RFC 5321 3.5.3, 7.3",
    ),
    15: Rule(
        SESSION,
        "PIPELINING, 8BITMIME, SMTPUTF8, SIZE, ENHANCEDSTATUSCODES, DSN, STARTTLS (with a certificate) and LIMITS are "
        "offered, each as far as it works, and nothing else.",
        "RFC 2920, 6152, 6531, 1870, 2034, 3461, 3207, 9422",
    ),
    16: Rule(SESSION, "Who talks before the greeting is refused.", "RFC 5321 3.1, 4.3.1"),
    17: Rule(
        SESSION,
        "After STARTTLS nothing of what was said before counts: no command in the same write, no hello, no "
        "transaction; a second STARTTLS is 503.",
        "RFC 3207 4, 4.2",
    ),
    18: Rule(SIZE, "A size declared over the system's maximum is 552 5.3.4 at MAIL.", "RFC 1870 6.1"),
    19: Rule(SIZE, "A system that is short of space says 452 4.3.1 at MAIL.", "RFC 1870 6.1"),
    20: Rule(
        SIZE,
        "A size declared over the room of a mailbox is refused at RCPT in the modes `reject` and `defer`.",
        "RFC 1870 6.1",
    ),
    21: Rule(
        SIZE,
        "A size declared too small is found out at the end of DATA; doubled dots and the final dot do not count.",
        "RFC 1870 5, 6.3",
    ),
    22: Rule(SIZE, "More than a mailbox could ever take is 5.2.3, and never deferred.", "RFC 3463 3.3"),
    23: Rule(
        PARAMETERS,
        "NOTIFY is known in any case, NEVER stands alone, each parameter is given once; all else is 501 5.5.4.",
        "RFC 3461 4.1, 4",
    ),
    24: Rule(PARAMETERS, "Without NOTIFY a failure is told.", "RFC 3461 4.1"),
    25: Rule(
        PARAMETERS, "NEVER, and any NOTIFY that does not name FAILURE, gets no failed DSN.", "RFC 3461 4.1, 5.2.1"
    ),
    26: Rule(
        PARAMETERS,
        "NOTIFY=SUCCESS gets a DSN that says `delivered`, once the message is stored.",
        "RFC 3461 4.1, 5.2.3",
    ),
    27: Rule(
        PARAMETERS,
        "RET=FULL returns the whole message with a failed DSN, RET=HDRS and no RET its header; other DSNs return the "
        "header.",
        "RFC 3461 4.3, 6.2",
    ),
    28: Rule(PARAMETERS, "ENVID is xtext of up to 100 characters, and comes back decoded.", "RFC 3461 4.4, 6.3"),
    29: Rule(
        PARAMETERS,
        "ORCPT is a type and xtext of up to 500 characters; its case is kept and its address is not judged.",
        "RFC 3461 4.2",
    ),
    30: Rule(PARAMETERS, "A plus and an equals sign come back as they were meant.", "RFC 3461 4"),
    31: Rule(
        FORM,
        "A DSN goes from the null reverse-path to the reverse-path of the original, whatever its header says.",
        "RFC 3461 6.1; RFC 5321 4.5.5",
    ),
    32: Rule(FORM, "Its outermost part is multipart/report.", "RFC 3464 2; RFC 6522 3"),
    33: Rule(
        FORM,
        "It holds a part for people, the status part, then message/rfc822 or text/rfc822-headers.",
        "RFC 6522 3, 4",
    ),
    34: Rule(FORM, "The status part is in 7 bits, its groups parted by one blank line.", "RFC 3464 2.1"),
    35: Rule(FORM, "It says Reporting-MTA and a valid Arrival-Date.", "RFC 3464 2.2.2, 2.2.5"),
    36: Rule(FORM, "Original-Recipient stands there only where ORCPT was given.", "RFC 3464 2.3.1"),
    37: Rule(FORM, "Each recipient's group has Final-Recipient, Action and Status.", "RFC 3464 2.3"),
    38: Rule(FORM, "The class of the status fits the action.", "RFC 3464 2.3.4"),
    39: Rule(
        FORM,
        "`Diagnostic-Code: smtp` and Remote-MTA are for what another server said; what we say ourselves is "
        "`x-pulsebox; 552 5.2.2 mailbox full …`.",
        "RFC 3464 2.3.5, 2.3.6",
    ),
    40: Rule(FORM, "Will-Retry-Until stands only where something is delayed.", "RFC 3464 2.3.9"),
    41: Rule(FORM, "Each failed recipient has one group, and nobody else has one.", "RFC 3464 2.3"),
    42: Rule(FORM, "No recipient of a message is named in two failed DSNs.", "RFC 3461 5.2.6"),
    43: Rule(
        FORM,
        "A DSN that cannot be delivered is dropped and recorded; no DSN is ever answered with one.",
        "RFC 3461 6.1; RFC 5321 4.5.5",
    ),
    44: Rule(
        FORM,
        "Nothing that a sender writes, in envelope or header, adds a field, a group or a part.",
        "RFC 5322 2.2; RFC 3461 8",
    ),
    45: Rule(FORM, "At most 50 kB return; of a longer message only the header does.", "RFC 3461 4.3"),
    46: Rule(
        FORM,
        "An SMTPUTF8 original gets message/global parts and utf-8 addresses, and their ASCII forms where the next hop "
        "takes no SMTPUTF8.",
        "RFC 6533 3, 4",
    ),
    47: Rule(
        AUTOMATIC,
        "Receipts say that they are automatic and what they answer; none goes to the null reverse-path, to mail of "
        "programs or to lists; one a message, and so many a day to one sender.",
        "RFC 3834 2, 3",
    ),
    48: Rule(AUTOMATIC, "A null MX means that no delivery is tried, and 5.1.10.", "RFC 7505 3, 4"),
    49: Rule(
        AUTOMATIC,
        "A notice that nobody took is tried again after 5 minutes, then after waits that grow to 4 hours, for 5 days; "
        "then it is given up and recorded.",
        "RFC 5321 4.5.4.1",
    ),
    50: Rule(
        CODES,
        "Every reply but the greeting, the answers to EHLO and HELO and 354 carries an enhanced code of its own class.",
        "RFC 2034 4",
    ),
    51: Rule(
        CODES,
        "Full is X.2.2, too large for the mailbox X.2.3, too large for the system X.3.4, system full 4.3.1, unknown "
        "5.1.1, not taking mail for now 4.2.1, over a rate 4.2.1, 5.2.121 (one sender) or 5.2.122 (all).",
        "RFC 3463 3.2 to 3.4",
    ),
}
