"""What the service keeps of a message, for tests that compare it with what was sent."""

from storage import messages
from storage.records import MessageId
from tests.service import Service
from tests.session.dialogue import rows


def stored(service: Service, reply: str) -> bytes:
    """Return the octets stored under the id that the reply to DATA names, now or when they came before."""
    assert reply.startswith("250 2.6.0 "), reply
    with service.store() as store, store.reading() as tx:
        octets = messages.octets(tx, MessageId(reply.rsplit(maxsplit=1)[-1]))
    assert octets is not None
    return octets


def trace(service: Service, reply: str) -> str:
    """Return the trace fields kept beside the message that the reply to DATA names."""
    [row] = rows(service, "SELECT trace FROM message WHERE id = :id", id=reply.rsplit(maxsplit=1)[-1])
    text: str = row["trace"]
    return text
