"""Who may import whom, and that the check would notice."""

import ast
import importlib.metadata
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("smtpd_service", "parsers", "storage", "migrations")

# A file, and an import in it that breaks a rule.
PLANTED = {
    "parsers/gate.py": "import storage.records",
    "storage/mailboxes.py": "import parsers.model",
    "smtpd_service/domain/quota.py": "import sqlalchemy",
    "smtpd_service/intake.py": "import sqlalchemy",
    "smtpd_service/admission.py": "import aiosmtpd",
    "parsers/text.py": "import mailparser",
    "storage/records.py": "import storage.schema",
    "smtpd_service/storing.py": "import smtpd_service.smtp.handler",
}


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    command = Path(sys.executable).with_name("lint-imports")
    return subprocess.run(
        [command, "--no-cache"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(folder)},
    )


def copy_of_the_project(folder: Path) -> Path:
    for package in PACKAGES:
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def test_the_project_keeps_its_import_rules(tmp_path: Path) -> None:
    done = lint(copy_of_the_project(tmp_path))

    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("file", PLANTED)
def test_a_planted_violation_is_found(file: str, tmp_path: Path) -> None:
    copy = copy_of_the_project(tmp_path)
    with (copy / file).open("a") as source:
        source.write(f"\n{PLANTED[file]}\n")

    assert "BROKEN" in lint(copy).stdout


@pytest.mark.parametrize("package", PACKAGES)
def test_a_packages_init_holds_a_docstring_only(package: str) -> None:
    for init in (ROOT / package).rglob("__init__.py"):
        [only] = ast.parse(init.read_text()).body
        assert isinstance(only, ast.Expr), init
        assert ast.get_docstring(ast.parse(init.read_text())), init


@pytest.mark.parametrize("package", PACKAGES)
def test_no_other_distribution_claims_the_package(package: str) -> None:
    claimed = importlib.metadata.packages_distributions().get(package, ["pulsebox"])

    assert set(claimed) == {"pulsebox"}


def test_every_function_stays_readable() -> None:
    long = [
        f"{file.relative_to(ROOT)}:{node.lineno} {node.name}"
        for package in PACKAGES[:3]
        for file in (ROOT / package).rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno > 50
    ]

    assert long == []


def test_every_file_stays_readable() -> None:
    long = [
        str(file.relative_to(ROOT))
        for package in PACKAGES[:3]
        for file in (ROOT / package).rglob("*.py")
        if len(file.read_text().splitlines()) > (300 if package == "parsers" else 400)
    ]

    assert long == []
