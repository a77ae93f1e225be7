"""What a newcomer gets: the distribution as a wheel, from any folder, and the demonstration."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.service import ROOT, Service, environment, eventually, mail

pytestmark = pytest.mark.acceptance


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds the wheel's files and nothing of the working copy."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", str(folder)]
    subprocess.run([*build, str(ROOT)], check=True, cwd=folder)
    [wheel] = folder.glob("pulsebox-*.whl")
    target = folder / "site"
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(target), str(wheel)]
    subprocess.run(install, check=True, cwd=folder)
    return target


def test_an_installed_wheel_migrates_and_serves_and_bounces_from_any_folder(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.service.ROOT", installed)
    service = Service(tmp_path)
    service.mailbox("hr@agency.test", quota="1 kB")
    service.start()
    try:
        service.send(mail(900))
        service.send(mail(900, subject="Again"))
        eventually(lambda: len(service.outbox("ann@agency.test")) == 1)
        eventually(lambda: service.query("SELECT count(*) AS n FROM bullets") == [{"n": 3}])
        where = [sys.executable, "-c", "import smtpd_service; print(smtpd_service.__file__)"]
        loaded = subprocess.run(where, cwd=tmp_path, env=environment(), capture_output=True, text=True, check=True)
    finally:
        service.kill()

    assert loaded.stdout.startswith(str(installed))


def test_the_demonstration_runs_to_its_end_and_everybody_gets_through(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "smtpd_service", "demo"]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120, env=environment()
    )

    assert done.returncode == 0, done.stderr
    assert "The recipient's mailbox is full and can't accept messages now." in " ".join(
        done.stdout.replace("│", " ").split()
    )
    figures = {
        name.strip(): int(count.replace(",", ""))
        for _, name, count, _ in (line.split("│") for line in done.stdout.splitlines() if line.count("│") == 3)
    }
    assert figures["Received over SMTP"] == figures["Stored"] + figures["Bounced"]
    assert figures["Bounced senders who succeeded later"] == figures["Bounced"] > 100
    assert figures["Bullets read"] > 4 * 0.9 * figures["Stored"]
    assert figures["Parked as unreadable"] == 0
