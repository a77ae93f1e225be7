"""Line 49: when a notice that nobody took is tried again, and when no more (RFC 5321 section 4.5.4.1)."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from smtpd_service.identity import now
from storage import notices
from storage.columns import instant_text
from storage.records import NoticeId
from tests.conformance.report import Post
from tests.service import eventually
from tests.session.dialogue import rows

FULL = "<full-bounce@agency.test>"
LATER = "451 4.3.0 not now"
MINUTE = timedelta(minutes=1)


def owed(post: Post, recipient: str) -> NoticeId:
    """Let a bounce to `recipient` be owed and tried once; return its id."""
    post.offer(recipient, FULL)
    eventually(lambda: len(tries(post, recipient)) == 1)
    return NoticeId(notice(post, recipient)["id"])


def notice(post: Post, recipient: str) -> dict[str, Any]:
    [row] = rows(post.service, "SELECT * FROM notice WHERE recipient = :a", a=recipient)
    return row


def tries(post: Post, recipient: str) -> list[dict[str, Any]]:
    query = "SELECT a.* FROM notice_attempt a JOIN notice n ON n.id = a.notice WHERE n.recipient = :a ORDER BY a.number"
    return rows(post.service, query, a=recipient)


def wait_planned(post: Post, recipient: str) -> timedelta:
    """Return the time from the last try to the next."""
    last = datetime.fromisoformat(tries(post, recipient)[-1]["at"])
    return datetime.fromisoformat(notice(post, recipient)["next_at"]) - last


def tried_again(post: Post, recipient: str, id_: NoticeId) -> None:
    """Let the waiting time pass, and wait for the try."""
    made = len(tries(post, recipient))
    with post.service.store() as store, store.unit() as tx:
        assert notices.retry(tx, [id_], now()) == 1
    eventually(lambda: len(tries(post, recipient)) == made + 1)


def aged(post: Post, id_: NoticeId, by: timedelta) -> None:
    """Let the notice have been owed for so long already."""
    with post.service.store() as store, store.unit() as tx:
        values = {"id": id_, "at": instant_text(now() - by)}
        tx.execute(text("UPDATE notice SET created_at = :at WHERE id = :id"), values)


def test_line_49_the_first_retry_is_after_5_minutes_and_the_waits_double_up_to_4_hours(post: Post, sender: str) -> None:
    with post.refusing(sender, LATER):
        id_ = owed(post, sender)
        minutes = [round(wait_planned(post, sender) / MINUTE, 1)]
        for _ in range(7):
            tried_again(post, sender, id_)
            minutes.append(round(wait_planned(post, sender) / MINUTE, 1))
    assert minutes == [5, 10, 20, 40, 80, 160, 240, 240]


def test_line_49_each_try_is_recorded_with_the_answer(post: Post, sender: str) -> None:
    with post.refusing(sender, LATER):
        tried_again(post, sender, owed(post, sender))
    assert [(each["number"], each["result"], each["reply"]) for each in tries(post, sender)] == [
        (1, "TryLater", LATER),
        (2, "TryLater", LATER),
    ]


def test_line_49_what_is_taken_at_a_later_try_is_sent_once_with_the_same_octets(post: Post, sender: str) -> None:
    with post.refusing(sender, LATER):
        id_ = owed(post, sender)
    first = rows(post.service, "SELECT octets FROM notice WHERE id = :id", id=id_)
    tried_again(post, sender, id_)
    eventually(lambda: notice(post, sender)["state"] == "sent")
    assert rows(post.service, "SELECT octets FROM notice WHERE id = :id", id=id_) == first
    assert len(post.sent_to(sender)) == 1


@pytest.mark.parametrize(
    ("age", "state"),
    [(timedelta(days=4, hours=23), "due"), (timedelta(days=5), "given_up"), (timedelta(days=30), "given_up")],
)
def test_line_49_after_5_days_a_notice_is_given_up_and_its_last_answer_recorded(
    post: Post, sender: str, age: timedelta, state: str
) -> None:
    with post.refusing(sender, LATER):
        id_ = owed(post, sender)
        aged(post, id_, age)
        tried_again(post, sender, id_)
    found = notice(post, sender)
    assert (found["state"], found["attempts"], found["last_reply"]) == (state, 2, LATER)
    assert (found["settled_at"] is None) is (state == "due")


def test_line_49_a_relay_that_is_not_there_is_a_try_like_any_other(post: Post, sender: str) -> None:
    post.relay.stop()
    try:
        post.offer(sender, FULL)
        eventually(lambda: len(tries(post, sender)) == 1)
        assert round(wait_planned(post, sender) / MINUTE, 1) == 5
    finally:
        post.relay.start()
