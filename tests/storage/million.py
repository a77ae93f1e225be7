"""A database as it is after a million messages, made by the database itself in a minute or two."""

# ruff: noqa: S608, E501  # statements are of our own words, and formatted as SQL
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import text

from storage.engine import Store, Tx
from storage.partitions import make_months
from storage.records import MessageId

MESSAGES = 1_000_000
SENDERS = 20_000
BOXES = 3
ROUNDS = 52
# Of the newest messages so many are not read yet, and a few were parked.
PENDING, PARKED = 1_000, 100
SENT, DUE = 200_000, 500
REFUSED = 200_000
MARKED = 200_000
SETTLED, HELD = 20_000, 100
SPAN = timedelta(days=364)
# What differs between the kinds of ids: the ninth to twelfth digit after the time.
_KINDS = {"message": "8000", "submission": "8001", "notice": "8002", "refusal": "8003", "quarantine": "8004"}


@dataclass(frozen=True, slots=True)
class Known:
    """Some of what is there, for statements to ask after."""

    start: datetime
    step: timedelta

    def at(self, number: int, of: int = MESSAGES) -> datetime:
        return self.start + (SPAN / of) * number

    def id(self, number: int, of: int = MESSAGES, kind: str = "message") -> MessageId:
        digits = f"{int(self.at(0, of).timestamp() * 1000) + number * _step(of):012x}7000{_KINDS[kind]}{number:012x}"
        return MessageId(str(UUID(digits)))

    def ids(self, *numbers: int) -> list[MessageId]:
        return [self.id(number) for number in numbers]

    @staticmethod
    def fixed(number: int, what: str) -> str:
        """Return the id of a mailbox, a person or a round."""
        return f"00000000-0000-7000-800{'bpr'.index(what)}-{number:012x}"

    @staticmethod
    def sender(number: int) -> str:
        return f"a{number % SENDERS}@agency.test"


def _step(of: int) -> int:
    """Return the milliseconds from one row to the next."""
    return int(SPAN.total_seconds() * 1000) // of


class _Sql:
    """The words in which the two databases differ."""

    def __init__(self, dialect: str, start: datetime) -> None:
        self._sqlite = dialect == "sqlite"
        self._start = int(start.timestamp() * 1000)

    def rows(self, count: int) -> str:
        if self._sqlite:
            counting = f"SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {count - 1}"
            return f"(WITH RECURSIVE n(i) AS ({counting}) SELECT i FROM n)"
        return f"generate_series(0::bigint, {count - 1}) AS n(i)"

    def _ms(self, of: int) -> str:
        return f"({self._start} + i * {_step(of)})"

    def id(self, kind: str, of: int) -> str:
        ms = self._ms(of)
        if self._sqlite:
            return f"printf('%08x-%04x-7000-{_KINDS[kind]}-%012x', {ms} >> 16, {ms} & 65535, i)"
        return f"(lpad(to_hex({ms}), 12, '0') || '7000{_KINDS[kind]}' || lpad(to_hex(i), 12, '0'))::uuid"

    def fixed(self, number: str, what: str) -> str:
        head = f"00000000-0000-7000-800{'bpr'.index(what)}-"
        if self._sqlite:
            return f"printf('{head}%012x', {number})"
        return f"('{head}' || lpad(to_hex({number}), 12, '0'))::uuid"

    def at(self, of: int, plus: int = 0) -> str:
        ms = f"({self._ms(of)} + {plus})"
        if self._sqlite:
            return f"strftime('%Y-%m-%dT%H:%M:%f', {ms} / 1000.0, 'unixepoch') || '000Z'"
        return f"to_timestamp({ms} / 1000.0)"

    def octets(self, value: str) -> str:
        if self._sqlite:
            return f"CAST(printf('%032d', {value}) AS BLOB)"
        return f"convert_to(lpad(({value})::text, 32, '0'), 'UTF8')"


def fill(store: Store) -> Known:
    """Fill a database that has the schema and nothing else."""
    start = (datetime.now(UTC) - SPAN).replace(microsecond=0)
    sql = _Sql(store.dialect, start)
    with store.unit() as tx:
        for days in range(0, SPAN.days + 31, 28) if store.dialect == "postgresql" else ():
            make_months(tx, start + timedelta(days=days))
    with store.unit() as tx:
        # What refers to what is right by the way it is made; to look each up would take most of the time.
        off = (
            "SET LOCAL session_replication_role = replica"
            if store.dialect == "postgresql"
            else "PRAGMA defer_foreign_keys=ON"
        )
        tx.execute(text(off))
        indexes = _take_indexes(tx)
        for statement in _statements(sql):
            # What is no mark for a parameter.
            tx.exec_driver_sql(statement if store.dialect == "sqlite" else statement.replace("%", "%%"))
        for statement in indexes:
            tx.exec_driver_sql(statement)
    with store.unit() as tx:
        tx.execute(text("ANALYZE"))
    return Known(start, SPAN / MESSAGES)


def _take_indexes(tx: Tx) -> list[str]:
    """Drop the indexes that are no keys, and return how they are made again: at the end that takes a fraction."""
    if tx.dialect.name == "sqlite":
        query = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
    else:
        query = (
            "SELECT i.relname, pg_get_indexdef(i.oid) FROM pg_index JOIN pg_class i ON i.oid = indexrelid "
            "JOIN pg_class t ON t.oid = indrelid WHERE i.relname LIKE 'ix!_%' ESCAPE '!' AND NOT t.relispartition"
        )
    found = tx.execute(text(query)).all()
    for name, _ in found:
        tx.exec_driver_sql(f"DROP INDEX {name}")
    return [sql.replace(" ON ONLY ", " ON ") for _, sql in found]


def _statements(sql: _Sql) -> Iterator[str]:
    sender = f"'a' || (i * 7919 % {SENDERS}) || '@agency.test'"
    person, box = sql.fixed(f"(i * 7919 % {SENDERS})", "p"), sql.fixed(f"(i % {BOXES})", "b")
    of, at = sql.id("message", MESSAGES), sql.at(MESSAGES)
    waits = f"WHEN i >= {MESSAGES - PENDING} THEN 'pending' WHEN i % {MESSAGES // PARKED} = 7 THEN 'parked'"
    read = f"FROM {sql.rows(MESSAGES - PENDING)}"
    yield f"""INSERT INTO campaign (id, name, zone, weekday, time, open_days, grace, request)
        SELECT {sql.fixed("(i + 99)", "r")}, 'weekly', 'UTC', 0, '23:59:59', 6, 0, '' FROM {sql.rows(1)}"""
    yield f"""INSERT INTO mailbox (id, address, quota_octets, grace_octets, used_octets, used_messages, when_full, frozen,
            warned, campaign, created_at)
        SELECT {sql.fixed("i", "b")}, 'box' || i || '@agency.test', 1000000000000, 0, 100 * {MESSAGES // BOXES},
            {MESSAGES // BOXES}, 'bounce', false, 0, {sql.fixed("99", "r")}, {sql.at(1)} FROM {sql.rows(BOXES)}"""
    yield f"""INSERT INTO round (id, campaign, name, opens, deadline, grace)
        SELECT {sql.fixed("i", "r")}, {sql.fixed("99", "r")}, 'W' || i, {sql.at(ROUNDS)},
            {sql.at(ROUNDS, _step(ROUNDS) - 1000)}, 0 FROM {sql.rows(ROUNDS)}"""
    yield f"""INSERT INTO person (id, name, name_key)
        SELECT {sql.fixed("i", "p")}, 'Ann Doe' || i, 'ann doe' || i FROM {sql.rows(SENDERS)}"""
    yield f"""INSERT INTO message (id, received_at, mail_from, octets, digest, client, helo, proved, proved_by, smtputf8,
            body, trace, state, attempts, encoding, raw)
        SELECT {of}, {at}, {sender}, 100, {sql.octets("i")}, '10.0.0.1', 'mx', true, 'SPF', false, '7BIT', '',
            CASE {waits} ELSE 'read' END, 0, 'raw', {sql.octets("i")} FROM {sql.rows(MESSAGES)}"""
    yield f"""INSERT INTO delivery (message, mailbox, recipient, octets)
        SELECT {of}, {box}, 'box@agency.test', 100 FROM {sql.rows(MESSAGES)}"""
    yield f"""INSERT INTO submission (message, id, sender, person, round, status, flags, received_at, bullet_count, late,
            superseded, leftover, fingerprint, trace, defects, parser, quarantined)
        SELECT {of}, {sql.id("submission", MESSAGES)}, {sender}, {person}, {sql.fixed(f"(i * {ROUNDS} / {MESSAGES})", "r")},
            'OK', '[]', {at}, 1, false, false, '', 'f' || (i % 900000), '[]', '[]', '1', false {read}"""
    yield f"""INSERT INTO bullet (message, submission, position, level, kind, marker, text, span_start, span_end, part,
            confidence, quarantined)
        SELECT {of}, {sql.id("submission", MESSAGES)}, 1, 0, 'dash', '-', 'did thing ' || i, 0, 9, 0, 1.0, false {read}"""
    for first, count, which in ((0, SENT, "sent"), (1, DUE, "due")):
        yield f"""INSERT INTO notice (id, kind, recipient, mailbox, message, state, attempts, created_at, next_at, facts,
                returned, destination)
            SELECT {sql.id("notice" if first == 0 else "refusal", count)}, 'bounce', {sender}, {box}, NULL, '{which}', 0,
                {sql.at(count)}, {sql.at(count)}, '{{}}', {sql.octets("i")}, 'd' || (i % 50) || '.test'
            FROM {sql.rows(count)}"""
    yield f"""INSERT INTO refusal (id, mailbox, refused_at, recipient, mail_from, client, stage, outcome, reply, notice)
        SELECT {sql.id("refusal", REFUSED)}, {box}, {sql.at(REFUSED)}, 'box@agency.test', {sender}, '10.0.0.1', 'rcpt',
            'MailboxFull', '552 5.2.2', {sql.id("notice", SENT)} FROM {sql.rows(REFUSED)}"""
    yield f"""INSERT INTO acceptance (token, fate, subject, at)
        SELECT {sql.octets("i")}, 'stored', {sql.id("message", MARKED)}, {sql.at(MARKED)} FROM {sql.rows(MARKED)}"""
    for state_, count in (("released", SETTLED), ("held", HELD)):
        kept = ("NULL", sql.at(count)) if state_ == "released" else ("'123-45-6789'", "NULL")
        kind = "quarantine" if state_ == "released" else "notice"
        yield f"""INSERT INTO quarantine (id, message, submission, place, rule, text, state, held_at, settled_at)
            SELECT {sql.id(kind, count)}, {sql.id("message", count)}, {sql.id("submission", count)}, 'leftover', 'ssn',
                {kept[0]}, '{state_}', {sql.at(count)}, {kept[1]} FROM {sql.rows(count)}"""
    yield f"""INSERT INTO usage (mailbox, at, octets, messages)
        SELECT {sql.fixed("0", "b")}, {sql.at(20_000)}, i, i FROM {sql.rows(20_000)}"""
