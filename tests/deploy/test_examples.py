"""What stands in deploy/ is what the tools take and what the service has."""

import ast
import json
import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from smtpd_service.figures import FIGURES
from smtpd_service.settings import load
from tests.foreign.programs import needs, program

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
DOCUMENTED = dict(
    re.findall(r"^\| `(pulsebox_\w+)` \| (\w+) \|", (ROOT / "docs/monitoring.md").read_text(), re.MULTILINE)
)


def run(*command: str | Path, **more: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(each) for each in command], capture_output=True, text=True, check=False, timeout=60, **more
    )


def figures_of(expression: str) -> set[str]:
    """Return the figures in an expression that the service does not have."""
    named = set(re.findall(r"\bpulsebox_\w+", expression))
    series = {
        name + suffix
        for name, kind in DOCUMENTED.items()
        for suffix in (("_bucket", "_sum", "_count") if kind == "histogram" else ("",))
    }
    return named - series


def panels() -> Iterator[dict[str, Any]]:
    for panel in json.loads((DEPLOY / "grafana/pulsebox.json").read_text())["panels"]:
        yield panel
        yield from panel.get("panels", [])


def expressions() -> list[str]:
    return [target["expr"] for panel in panels() for target in panel.get("targets", [])]


# Prometheus and Grafana.


def test_the_dashboard_has_panels_that_do_not_overlap_and_ask_its_own_data_source() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in panels():
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert place["x"] + place["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells
        assert panel["title"]
        for target in panel.get("targets", []):
            assert target["datasource"]["uid"] == "${datasource}"
    ids = [panel["id"] for panel in panels()]
    assert len(ids) == len(set(ids))


def test_the_dashboard_shows_only_figures_that_exist_and_most_of_them() -> None:
    assert [each for each in expressions() if figures_of(each)] == []
    named = (name for each in expressions() for name in re.findall(r"pulsebox_\w+", each))
    shown = {re.sub(r"_(bucket|sum|count)$", "", name) for name in named}
    counted = {each.name + ("_total" if each.kind == "counter" else "") for each in FIGURES}
    assert len(counted & shown) > len(counted) / 2


def test_the_alerts_watch_only_figures_that_exist() -> None:
    assert figures_of(re.sub(r"(?m)^.*#.*$", "", (DEPLOY / "prometheus/alerts.yml").read_text())) == set()


def test_prometheus_takes_the_configuration_and_the_alerts_go_off_when_they_must(tmp_path: Path) -> None:
    needs("promtool")
    done = run(program("promtool"), "check", "config", DEPLOY / "prometheus/prometheus.yml")
    assert done.returncode == 0, done.stdout + done.stderr
    done = run(program("promtool"), "test", "rules", ROOT / "tests/deploy/alerts.yml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_understands_every_expression_of_the_dashboard(tmp_path: Path) -> None:
    needs("promtool")
    filled = [each.replace("$__rate_interval", "1m").replace("$instance", ".*") for each in expressions()]
    rules = [{"record": f"panel:{at}", "expr": each} for at, each in enumerate(filled)]
    # JSON is YAML.
    (tmp_path / "panels.yml").write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}))
    done = run(program("promtool"), "check", "rules", tmp_path / "panels.yml")
    assert done.returncode == 0, done.stdout + done.stderr


# systemd.


def units(folder: Path) -> list[Path]:
    """Write the units with a program that is here."""
    written = []
    for unit in sorted((DEPLOY / "systemd").iterdir()):
        text = unit.read_text().replace("/opt/pulsebox/bin/pulsebox", "/bin/true")
        written.append(folder / unit.name)
        written[-1].write_text(text)
    return written


def test_systemd_takes_the_units_and_finds_little_exposed(tmp_path: Path) -> None:
    needs("systemd-analyze")
    analyze = program("systemd-analyze")
    done = run(analyze, "verify", "--man=no", *units(tmp_path))
    assert (done.returncode, done.stderr.strip()) == (0, "")
    done = run(analyze, "security", "--offline=true", "--threshold=20", tmp_path / "pulsebox.service")
    assert done.returncode == 0, done.stdout[-200:]


def test_the_socket_unit_holds_each_family_apart_as_the_service_asks() -> None:
    text = (DEPLOY / "systemd/pulsebox.socket").read_text()
    assert "BindIPv6Only=ipv6-only" in text
    assert re.findall(r"ListenStream=(.*)", text) == ["0.0.0.0:25", "[::]:25"]
    assert 'listen = ["0.0.0.0:25", "[::]:25"]' in (DEPLOY / "systemd/pulsebox.service").read_text()


# The container.


def instructions() -> list[tuple[str, str]]:
    text = re.sub(r"(?m)^#.*\n", "", (DEPLOY / "container/Containerfile").read_text()).replace("\\\n", " ")
    return [(verb, rest.strip()) for verb, rest in re.findall(r"(?m)^([A-Z]+)\s+(.*)$", text)]


def test_the_container_copies_what_is_there_and_all_that_is_shipped() -> None:
    copied = [shlex.split(rest) for verb, rest in instructions() if verb == "COPY"]
    sources = [each for words in copied if not words[0].startswith("--from") for each in words[:-1]]
    assert [each for each in sources if not (ROOT / each).exists()] == []
    assert {"smtpd_service", "parsers", "storage", "migrations"} <= set(sources)


def test_the_container_s_variables_are_settings_and_its_health_check_a_page() -> None:
    words = [shlex.split(rest) for verb, rest in instructions() if verb == "ENV"]
    variables = dict(each.split("=", 1) for line in words for each in line)
    settings = load(ROOT / "config.toml", variables)
    assert [str(each) for each in settings.smtp.listen] == ["0.0.0.0:2525"]
    assert settings.metrics.listen == "0.0.0.0:9525"
    volume = next(rest for verb, rest in instructions() if verb == "VOLUME")
    assert Path(settings.database_url.removeprefix("sqlite:///")).is_relative_to(volume)
    assert settings.maildir.is_relative_to(volume)
    health = next(rest for verb, rest in instructions() if verb == "HEALTHCHECK")
    program_, *_ = ast.literal_eval(health[health.index("CMD") + 4 :])
    assert program_ == "python"
    assert "127.0.0.1:9525/health" in health


def test_the_container_does_not_run_as_root_and_ends_as_the_service_does() -> None:
    said = dict(instructions())
    assert said["USER"] == "10001"
    assert said["STOPSIGNAL"] == "SIGTERM"
    assert json.loads(said["ENTRYPOINT"]) == ["pulsebox"]


# HAProxy.


def test_haproxy_takes_its_configuration() -> None:
    needs("haproxy")
    done = run(program("haproxy"), "-c", "-f", DEPLOY / "haproxy/haproxy.cfg", env=os.environ)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr.upper()


def test_the_readme_names_every_example_and_no_other() -> None:
    text = (DEPLOY / "README.md").read_text()
    files = {each.name for each in DEPLOY.rglob("*") if each.is_file()} - {"README.md"}
    assert {name for name in files if name not in text} == set()
    assert set(re.findall(r"`(?:\w+/)?([\w.]+\.(?:cfg|cf|ini|yml|json|service|socket))`", text)) <= files


@pytest.mark.parametrize("word", ["listen", "trusted_relays", "trusted_authserv_ids", "smarthost"])
def test_settings_that_examples_speak_of_exist(word: str) -> None:
    assert f"`{word}`" in (ROOT / "docs/config.md").read_text()
