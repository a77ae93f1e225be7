"""config.toml: each mistake is named with its file, line, key and value, and with what would be right.

A file of tests/bad_configs begins with what is said of it, in comments.
"""

import tomllib
from itertools import takewhile
from pathlib import Path

import pytest

from smtpd_service.setting_types import parse_size
from smtpd_service.settings import ConfigError, Settings, find_config, load

ROOT = Path(__file__).parents[2]
BAD_CONFIGS = sorted((ROOT / "tests/bad_configs").glob("*.toml"))


def written(folder: Path, text: str) -> Path:
    file = folder / "pulsebox.toml"
    file.write_text(text)
    return file


@pytest.mark.parametrize("file", BAD_CONFIGS, ids=lambda file: file.stem)
def test_a_mistake_is_named_with_its_place_its_value_and_what_would_be_right(file: Path) -> None:
    lines = takewhile(lambda line: line.startswith("# "), file.read_text().splitlines())
    says = "\n".join(line[2:] for line in lines).replace("FILE", str(file))
    with pytest.raises(ConfigError) as caught:
        load(file, {})
    assert str(caught.value) == says


def test_the_commented_config_says_every_default(tmp_path: Path) -> None:
    shipped = load(ROOT / "config.toml", {})
    bare = load(written(tmp_path, '[[mailbox]]\naddress = "hr@agency.example"\n'), {})
    assert shipped.model_dump(exclude={"file"}) == bare.model_dump(exclude={"file"})


def test_the_commented_config_names_every_key() -> None:
    data = tomllib.loads((ROOT / "config.toml").read_text())
    for section, keys in data.items():
        if section != "mailbox":
            assert set(keys) == set(type(Settings.model_fields[section].default).model_fields)
    assert set(data) == set(Settings.model_fields) - {"file"}


def test_a_missing_file_says_how_to_name_another(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--config or PULSEBOX_CONFIG"):
        load(tmp_path / "nowhere.toml", {})


def test_a_file_that_is_no_text_says_so(tmp_path: Path) -> None:
    (tmp_path / "pulsebox.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="is not UTF-8"):
        load(tmp_path / "pulsebox.toml", {})


def test_relative_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    settings = load(written(tmp_path, '[database]\nurl = "sqlite:///data/x.db"\n[outbound]\nmaildir = "out"\n'), {})
    assert settings.database_url == f"sqlite:///{tmp_path}/data/x.db"
    assert settings.maildir == tmp_path / "out"


def test_the_environment_overrides_the_file_and_is_named_when_it_is_wrong(tmp_path: Path) -> None:
    file = written(tmp_path, '[smtp]\nhostname = "mx.agency.test"\n')
    environment = {"PULSEBOX__SMTP__HOSTNAME": "mx2.agency.test", "PULSEBOX__SMTP__MAX_ERRORS": "7", "OTHER": "x"}
    settings = load(file, environment)
    assert (settings.smtp.hostname, settings.smtp.max_errors) == ("mx2.agency.test", 7)
    with pytest.raises(ConfigError, match=r"^PULSEBOX__SMTP__MAX_ERRORS: smtp\.max_errors = 'many'"):
        load(file, {"PULSEBOX__SMTP__MAX_ERRORS": "many"})


def test_mailboxes_are_not_set_from_the_environment(tmp_path: Path) -> None:
    file = written(tmp_path, '[[mailbox]]\naddress = "hr@agency.test"\n')
    with pytest.raises(ConfigError, match="cannot be set from the environment"):
        load(file, {"PULSEBOX__MAILBOX__QUOTA": "1 GB"})


@pytest.mark.parametrize(
    ("text", "octets"), [("0", 0), ("1500", 1500), ("60GB", 60_000_000_000), ("500 kB", 500_000), (" 1 GiB ", 2**30)]
)
def test_a_size_is_octets_or_carries_a_unit(text: str, octets: int) -> None:
    assert parse_size(text) == octets


@pytest.mark.parametrize("text", ["", "lots", "-1", "1 XB", "1e400", "1 GB a day"])
def test_a_size_that_is_none_says_what_is_right(text: str) -> None:
    with pytest.raises(ValueError, match="write octets or a number with a unit"):
        parse_size(text)


@pytest.mark.parametrize("text", ["10 EB", str(2**63), "9" * 400])
def test_a_size_that_no_counter_holds_is_too_large(text: str) -> None:
    with pytest.raises(ValueError, match=f"is too large; the largest size is {2**63 - 1} octets"):
        parse_size(text)


def test_the_configuration_is_the_one_given_or_the_environments_or_here() -> None:
    assert find_config(Path("a.toml"), {"PULSEBOX_CONFIG": "b.toml"}) == Path("a.toml")
    assert find_config(None, {"PULSEBOX_CONFIG": "b.toml"}) == Path("b.toml")
    assert find_config(None, {}) == Path("config.toml")
