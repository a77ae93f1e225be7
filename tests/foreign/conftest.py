"""Failed checks of a report say what differs."""

import pytest

pytest.register_assert_rewrite("tests.foreign.reports")
