"""Which foreign programs there are: a machine of the checks has them all, and who lacks one is told what to type."""

import re
from pathlib import Path

import pytest

from tests.foreign.programs import OPTIONAL, PACKAGES, REQUIRED, needs
from tests.service import ROOT


def test_the_checks_install_the_package_of_each_program() -> None:
    [installed] = re.findall(r"for package in (.*); do", Path(ROOT, ".ci/run").read_text(encoding="utf-8"))
    needed = {package for name, package in PACKAGES.items() if name not in OPTIONAL}
    assert needed <= set(installed.split())
    assert REQUIRED in Path(ROOT, ".ci/run").read_text(encoding="utf-8")


def test_a_missing_program_skips_and_names_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(REQUIRED, raising=False)
    monkeypatch.setitem(PACKAGES, "no-such-program", "its-package")
    with pytest.raises(pytest.skip.Exception, match="apt-get install its-package"):
        needs("no-such-program")
    monkeypatch.setenv(REQUIRED, "1")
    with pytest.raises(pytest.fail.Exception, match="apt-get install its-package"):
        needs("no-such-program")
