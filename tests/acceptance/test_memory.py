"""What the service takes when nothing happens."""

import psutil
import pytest

from tests.acceptance.books import settled
from tests.service import Service, eventually, mail

ALLOWED = 250_000_000


@pytest.mark.acceptance
def test_a_service_at_rest_takes_no_more_than_250_mb(
    service_on_each: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    service = service_on_each
    service.mailbox("hr@agency.test")
    service.start()
    for number in range(20):
        service.send(mail(octets=20_000, message_id=f"{number}@load.test"))
    with service.store() as store:
        settled(store)
    assert service.process is not None
    main = psutil.Process(service.process.pid)
    eventually(lambda: len(main.children(recursive=True)) == 4)

    # Shared pages are counted once: PSS, not RSS.
    taken = {each.pid: each.memory_full_info().pss for each in [main, *main.children(recursive=True)]}

    with capsys.disabled():
        print(f"\nat rest: {sum(taken.values()) / 1e6:.0f} MB in {len(taken)} processes ({store.dialect})")
    assert sum(taken.values()) <= ALLOWED
