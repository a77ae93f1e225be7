"""The quota's properties, whatever the order of mail, changes and crashes, on both databases."""

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from storage.engine import Store, open_store
from tests.acceptance.quota_machine import machine_on


def play(store: Store, database_url: str, *, examples: int, steps: int) -> None:
    other = open_store(database_url)
    try:
        run_state_machine_as_test(
            machine_on(store, other),
            settings=settings(
                max_examples=examples,
                stateful_step_count=steps,
                deadline=None,
                suppress_health_check=list(HealthCheck),
                # A shorter example of what is wrong takes minutes to find; the first one is short enough to read.
                phases=[Phase.generate],
                # Ids and times differ in each run, so that a failure is not found again by its bytes.
                database=None,
            ),
        )
    finally:
        other.close()


def test_the_quota_holds_in_any_order_of_mail_changes_and_crashes(store: Store, database_url: str) -> None:
    play(store, database_url, examples=20 if store.dialect == "sqlite" else 6, steps=30)


@pytest.mark.acceptance
@pytest.mark.timeout(900)
def test_the_quota_holds_in_any_order_of_mail_changes_and_crashes_at_full_size(store: Store, database_url: str) -> None:
    play(store, database_url, examples=60, steps=50)
