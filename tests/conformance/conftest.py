"""One service for all dialogues that leave nothing behind for each other, and a client who has said EHLO."""

from collections.abc import Iterator
from itertools import count

import pytest

from tests.conformance.client import Client, session
from tests.conformance.report import Post
from tests.conformance.stage import staged
from tests.relay import relay
from tests.service import Service
from tests.session.dialogue import HR

# RFC 5321 sections 4.5.3.1.1 and 4.5.3.1.2; a label has at most 63 octets (RFC 1035 section 2.3.4).
LONGEST_LOCAL = "x" * 64
LONGEST_DOMAIN = ".".join(["d" * 63] * 3 + ["d" * 58 + ".test"])
_NUMBERS = count(1)


def boxes() -> list[dict[str, object]]:
    """Mailboxes with room; full ones and small ones of each mode; a hundred and one for many recipients."""
    found: list[dict[str, object]] = [
        {"address": HR, "aliases": ["replies@agency.test"]},
        {"address": f"{LONGEST_LOCAL}@{LONGEST_DOMAIN}"},
        {"address": "büro@agency.test"},
        {"address": "büro.voll@agency.test", "quota_messages": 0},
        {"address": "frozen@agency.test"},
        {"address": "full-too@agency.test", "quota_messages": 0, "aliases": ["full-alias@agency.test"]},
    ]
    found.extend({"address": f"box{number}@agency.test"} for number in range(101))
    for mode in ("bounce", "reject", "defer"):
        found.append({"address": f"full-{mode}@agency.test", "when_full": mode, "quota_messages": 0})
        found.append({"address": f"small-{mode}@agency.test", "when_full": mode, "quota": 1_000})
    return found


@pytest.fixture(scope="session")
def post(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Post]:
    """A service that takes up to 1 MB of a trusted client; its bounces go to a relay that takes all."""
    with relay() as server:
        outbound = {"smarthost": server.smarthost, "concurrency": 4}
        folder = tmp_path_factory.mktemp("house")
        with staged(folder, *boxes(), sections={"outbound": outbound}, max_message="1 MB") as running:
            yield Post(running, server)


@pytest.fixture(scope="session")
def house(post: Post) -> Service:
    """The same service, for dialogues that are about no notice."""
    return post.service


@pytest.fixture
def client(house: Service) -> Iterator[Client]:
    with session(house) as made:
        yield made


@pytest.fixture
def sender() -> str:
    """A reverse-path that no other test has, so that its bounces and refusals can be told from theirs."""
    return f"sender{next(_NUMBERS)}@agency.test"
