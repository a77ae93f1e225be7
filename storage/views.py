"""What auditors see: the same names and columns on both databases, plain ones so that their types show.

Ids come out dashed and times as ISO 8601 with `Z` when a query is printed; quarantined text is NULL here.
"""

from sqlalchemy import text

from storage.engine import Tx

VIEWS = {
    "mailboxes": """
        SELECT m.address AS address, m.quota_octets AS quota_octets, m.quota_messages AS quota_messages,
               m.used_octets AS used_octets, m.used_messages AS used_messages,
               CASE WHEN m.address LIKE 'postmaster@%' THEN 'accepting'
                    WHEN m.frozen THEN 'frozen'
                    WHEN m.used_octets >= m.quota_octets OR m.used_messages >= m.quota_messages THEN 'full'
                    ELSE 'accepting' END AS state,
               m.when_full AS when_full, m.grace_octets AS grace_octets, m.rate_messages AS rate_messages,
               m.rate_sender AS rate_sender, m.warn_at AS warn_at, m.warned AS warned, m.language AS language
        FROM mailbox m
    """,
    "usage_history": """
        SELECT b.address AS mailbox, u.at AS at, u.octets AS octets, u.messages AS messages
        FROM usage u JOIN mailbox b ON b.id = u.mailbox
    """,
    "messages": """
        SELECT m.id AS id, b.address AS mailbox, m.received_at AS received_at, m.mail_from AS mail_from,
               m.message_id AS message_id, m.octets AS octets, m.state AS state,
               d.recipient AS recipient, m.proved AS proved, m.proved_by AS proved_by,
               m.parked_reason AS parked_reason, m.destroyed_at AS destroyed_at,
               m.authentication AS authentication, d.released_at AS released_at
        FROM message m JOIN delivery d ON d.message = m.id JOIN mailbox b ON b.id = d.mailbox
    """,
    "submissions": """
        SELECT s.id AS id, s.message AS message, s.sender AS sender, r.name AS round, s.status AS status,
               s.received_at AS received_at, s.bullet_count AS bullet_count, s.late AS late,
               s.repeats AS repeats, s.superseded AS superseded, c.name AS campaign, p.name AS person,
               s.flags AS flags, s.parser AS parser, s.near_repeats AS near_repeats,
               s.similarity AS similarity, s.quarantined AS quarantined
        FROM submission s LEFT JOIN round r ON r.id = s.round LEFT JOIN campaign c ON c.id = r.campaign
             LEFT JOIN person p ON p.id = s.person
        WHERE s.replaced_by IS NULL
    """,
    "bullets": """
        SELECT b.submission AS submission, b.position AS position, b.level AS level, b.kind AS kind,
               b.marker AS marker, b.text AS text, b.confidence AS confidence, b.quarantined AS quarantined,
               b.message AS message, b.portion_mark AS portion_mark
        FROM bullet b
        WHERE NOT EXISTS (SELECT 1 FROM submission o
                          WHERE o.message = b.message AND o.id = b.submission AND o.replaced_by IS NOT NULL)
    """,
    "withheld": """
        SELECT q.id AS id, q.submission AS submission, q.message AS message, q.place AS place,
               q.position AS position, q.rule AS rule, q.state AS state, q.held_at AS held_at,
               q.first_at AS first_at, q.settled_at AS settled_at,
               (SELECT s.sender FROM submission s
                WHERE s.message = q.message AND s.id = q.submission) AS sender
        FROM quarantine q
        WHERE NOT EXISTS (SELECT 1 FROM submission o
                          WHERE o.message = q.message AND o.id = q.submission AND o.replaced_by IS NOT NULL)
    """,
    "refusals": """
        SELECT r.id AS id, b.address AS mailbox, r.refused_at AS refused_at, r.mail_from AS mail_from,
               r.message_id AS message_id, r.octets AS octets, r.stage AS stage, r.reply AS reply,
               r.notice AS notice, r.outcome AS outcome, r.recipient AS recipient,
               r.proved AS proved
        FROM refusal r JOIN mailbox b ON b.id = r.mailbox
    """,
    "notices": """
        SELECT n.id AS id, n.kind AS kind, n.recipient AS recipient, n.message AS message, n.state AS state,
               n.attempts AS attempts, n.created_at AS created_at, n.settled_at AS settled_at,
               n.last_reply AS last_reply, b.address AS mailbox,
               n.destination AS destination,
               CASE WHEN n.state = 'due' THEN n.next_at END AS next_at
        FROM notice n JOIN mailbox b ON b.id = n.mailbox
    """,
    "rounds": """
        SELECT r.id AS id, c.name AS campaign, r.name AS name, r.opens AS opens, r.deadline AS deadline
        FROM round r JOIN campaign c ON c.id = r.campaign
    """,
    "changes": """
        SELECT c.number AS number, c.at AS at, c.who AS who, c.verb AS verb, c.subject AS subject,
               c.before AS before, c.after AS after, c.reason AS reason
        FROM change c
    """,
}


def drop_views(tx: Tx) -> None:
    for name in VIEWS:
        tx.execute(text(f"DROP VIEW IF EXISTS {name}"))


def create_views(tx: Tx) -> None:
    for name, body in VIEWS.items():
        tx.execute(text(f"CREATE VIEW {name} AS {body}"))
