"""Configuration, schema, health and mistakes: what an operator sees when something is not right."""

import json
import socket
import sqlite3
import threading
from pathlib import Path

import pytest

from smtpd_service.cli.checkup import check_clock, check_python, check_room
from smtpd_service.cli.complaint import masked
from smtpd_service.cli.confirm import Heard
from smtpd_service.cli.ports import check_listen, check_relay
from smtpd_service.identity import now
from smtpd_service.setting_types import Endpoint, ListenOn
from storage.engine import Store, open_store
from storage.upgrade import head
from storage.version import newest, version
from tests.session.office import Office, typed
from tests.storage.stock import add_box, box

EVERY_READING_VERB = [
    ("mailbox", "list"),
    ("quota", "show"),
    ("quota", "history"),
    ("message", "list"),
    ("queue", "list"),
    ("outbox", "list"),
    ("bounce", "list"),
    ("quarantine", "list"),
]


@pytest.mark.parametrize("verb", EVERY_READING_VERB, ids=" ".join)
def test_an_empty_database_gives_an_empty_list_and_says_so_to_people(office: Office, verb: tuple[str, ...]) -> None:
    assert office.json(*verb) == []
    assert len(office.types(*verb).out.splitlines()) == 1


def test_a_database_without_a_schema_says_what_to_type(tmp_path: Path, empty_database_url: str) -> None:
    bare = open_store(empty_database_url)
    office = Office(tmp_path, bare, empty_database_url)

    for verb in (*EVERY_READING_VERB, ("query", "SELECT 1"), ("db", "check")):
        assert "pulsebox serve (makes it) or pulsebox db upgrade" in office.types(*verb, code=2).err
    assert office.json("db", "current")["state"] == "empty"
    assert office.json("db", "upgrade", "--reason", "first")["before"] is None
    assert office.json("db", "upgrade")["change"] is None
    assert office.json("db", "current")["state"] == "current"
    assert office.json("db", "check") == {"database": masked(empty_database_url), "ok": True, "wrong": []}
    bare.close()


def test_looking_at_a_missing_database_does_not_make_it(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/none.db"
    store = open_store(url)
    Office(tmp_path, store, url).types("mailbox", "list", code=2)

    assert not (tmp_path / "none.db").exists()


def test_the_schema_version_is_the_same_with_and_without_alembic(store: Store) -> None:
    with store.reading() as tx:
        assert newest() == head() == version(tx)


def test_a_schema_of_another_version_is_refused_with_what_to_do(office: Office) -> None:
    with sqlite3.connect(office.folder / "pulsebox.db") as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    database.close()
    # A newer one on which this program goes on working; then one on which it does not.
    office.types("mailbox", "list")
    assert "install the newer one" in office.types("db", "upgrade", code=2).err
    with sqlite3.connect(office.folder / "pulsebox.db") as database:
        database.execute("UPDATE compatibility SET oldest = '9999'")
    database.close()
    assert "install the newer one" in office.types("mailbox", "list", code=2).err
    assert "install the newer one" in office.types("db", "upgrade", code=2).err
    with sqlite3.connect(office.folder / "pulsebox.db") as database:
        database.execute("UPDATE alembic_version SET version_num = '0000'")
    database.close()
    assert "run: pulsebox db upgrade" in office.types("mailbox", "list", code=2).err


def test_a_database_that_lacks_an_index_is_found_out(office: Office) -> None:
    with sqlite3.connect(office.folder / "pulsebox.db") as database:
        database.execute("DROP INDEX ix_refusal_notice")
    database.close()

    said = office.json("db", "check", code=1)
    assert said["ok"] is False
    assert "ix_refusal_notice" in str(said["wrong"])
    assert "ix_refusal_notice" in office.types("db", "check", code=1).out


def test_a_database_that_is_away_is_one_line_without_the_password(tmp_path: Path, office: Office) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"postgresql+psycopg://clerk:sesame@127.0.0.1:{probe.getsockname()[1]}/pulsebox"
        away = Office(tmp_path, office.store, url)
        for verb in (("mailbox", "list"), ("db", "current"), ("db", "upgrade")):
            said = away.types(*verb, code=2)
            assert "clerk:***@127.0.0.1" in said.err
            assert "sesame" not in said.err
        findings = {each["subject"]: each for each in away.json("doctor", code=1)}
        assert findings["database"]["state"] == "fail"
        assert "sesame" not in str(findings) + away.types("config", "show").out + str(away.json("config", "show"))


def test_a_file_that_is_no_database_is_one_line(office: Office) -> None:
    (office.folder / "text.db").write_text("this is no database, " * 100)
    away = Office(office.folder, office.store, f"sqlite:///{office.folder}/text.db")

    assert "not a database" in away.types("mailbox", "list", code=2).err


@pytest.mark.parametrize(
    ("arguments", "right"),
    [
        (("quta",), "Did you mean 'quota'?"),
        (("quota",), "pulsebox quota --help"),
        (("quota", "sett"), "pulsebox quota --help"),
        (("mailbox", "list", "--nope"), "No such option"),
        (("message", "list", "--limit", "0"), "--limit"),
        (("message", "list", "--state", "lost"), "'pending', 'read', 'parked'"),
        (("message", "list", "--since", "yesterday"), "an age: 4 h"),
        (("message", "list", "--after", "12"), "is no id"),
        (("export", "everything"), "submissions"),
        (("mailbox", "list", "--config", "/nowhere.toml"), "/nowhere.toml: No such file or directory"),
    ],
)
def test_a_mistake_in_typing_is_one_line_that_helps(arguments: tuple[str, ...], right: str) -> None:
    said = typed(*arguments)

    assert (said.code, said.octets) == (2, b"")
    assert len(said.err.splitlines()) == 1
    assert right in said.err


def test_config_check_names_every_mistake_and_the_others_the_first(office: Office) -> None:
    office.config.write_text('[smtp]\nmax_message = "big"\nhostname = "!"\n')

    checked = typed("config", "check", "--config", str(office.config))
    assert (checked.code, checked.octets) == (2, b"")
    assert [f"pulsebox.toml:{line}" in checked.err for line in (2, 3)] == [True, True]
    assert "and 1 more; see: pulsebox config check" in office.types("mailbox", "list", code=2).err
    listed = typed("config", "check", "--json", "--config", str(office.config))
    assert (listed.code, listed.json["ok"], len(listed.json["mistakes"])) == (2, False, 2)


def test_config_show_tells_every_key_with_the_value_that_counts(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULSEBOX__SMTP__HOSTNAME", "mx.other.test")

    said = office.json("config", "show")
    assert said["smtp"]["hostname"] == "mx.other.test"
    assert said["smtp"]["max_message"] == 25_000_000
    assert said["smtp"]["idle_timeout"] == 300
    assert said["outbound"]["maildir"] == str(office.folder / "var/outbox")
    assert office.types("config", "check").out.endswith(": fine\n")


def test_what_config_show_prints_can_be_read_as_configuration(office: Office) -> None:
    before = office.json("config", "show")
    office.config.write_text(office.types("config", "show").out)

    assert office.json("config", "show") == before


def test_doctor_looks_at_everything(each_office: Office) -> None:
    findings = {each["subject"]: each["state"] for each in each_office.json("doctor")}

    assert {"python", "configuration", "database", "maildir", "port 127.0.0.1:0", "relay", "clock"} <= set(findings)
    assert findings["database"] == "ok"
    assert each_office.types("doctor").out.splitlines()[1].startswith("ok")


def test_doctor_goes_on_without_a_configuration(tmp_path: Path) -> None:
    said = typed("doctor", "--json", "--config", str(tmp_path / "none.toml"))

    assert said.code == 1
    assert [each["state"] for each in said.json][1:] == ["fail"]


def test_doctor_knows_the_pythons_that_need_mending() -> None:
    assert check_python((3, 11, 9)).state == "warn"
    assert "3.11.10" in check_python((3, 11, 9)).remedy
    assert [check_python(each).state for each in ((3, 11, 10), (3, 12, 5), (3, 14, 0))] == ["ok"] * 3


def test_doctor_sees_a_full_disk_and_a_wrong_clock(tmp_path: Path) -> None:
    assert check_room("disk", tmp_path / "made" / "later", 1).state == "ok"
    assert check_room("disk", tmp_path, 10**18).state == "fail"
    assert check_clock(now()).state == "ok"
    assert check_clock(now().replace(year=2999)).state == "warn"


@pytest.mark.parametrize(
    ("greeting", "listen", "relay"), [(b"220 mx ESMTP\r\n", "ok", "ok"), (b"HTTP/1.1 400\r\n", "fail", "fail")]
)
def test_doctor_reads_what_a_port_says(greeting: bytes, listen: str, relay: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            for _ in range(2):
                client, _ = server.accept()
                client.sendall(greeting)
                client.recv(100)
                client.close()

        thread = threading.Thread(target=answer)
        thread.start()
        there = Endpoint(host="127.0.0.1", port=server.getsockname()[1])
        here = ListenOn(host=there.host, port=there.port)
        assert (check_listen(here).state, check_relay(there).state) == (listen, relay)
        thread.join()


def test_doctor_knows_a_free_port_and_a_relay_that_is_away() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        nobody = Endpoint(host="127.0.0.1", port=probe.getsockname()[1])
    assert check_listen(ListenOn(host=nobody.host, port=nobody.port)).state == "ok"
    assert check_relay(nobody).state == "fail"
    assert check_listen(ListenOn(host="192.0.2.1", port=25)).state in {"fail", "warn"}


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("postgresql+psycopg://u:secret@h/db", "postgresql+psycopg://u:***@h/db"),
        ("'postgresql://u:se@cret@h/db'", "'postgresql://u:***@h/db'"),
        ("postgresql://u@h/db?password=secret&x=1", "postgresql://u@h/db?password=***&x=1"),
        ("sqlite:////var/pulsebox.db", "sqlite:////var/pulsebox.db"),
        ("postgresql://u@h:5432/db", "postgresql://u@h:5432/db"),
    ],
)
def test_a_password_is_never_printed(url: str, safe: str) -> None:
    assert masked(url) == safe


def test_listeners_are_counted_in_words() -> None:
    assert str(Heard(3, 3, 0.41)) == "3 listeners confirmed in 0.4 s"
    assert str(Heard(1, 1, 0.1)) == "1 listener confirmed in 0.1 s"
    assert str(Heard(0, 0, 0.0)) == "no listener is running"
    assert str(Heard(1, 3, 2.0)) == "only 1 of 3 listeners confirmed in 2.0 s"


def test_json_is_utf8_whatever_the_mailbox_is_called(office: Office) -> None:
    add_box(office.store, box("größe@agency.test"))

    assert json.loads(office.types("mailbox", "list", "--json").octets.decode("utf-8"))[0]["address"][0] == "g"
    assert "größe" in office.types("mailbox", "list").out


def test_config_check_reads_the_certificate_and_the_signing_key_and_tells_both(office: Office) -> None:
    tls = '[tls]\ncertificate = "no.pem"\nkey = "nokey.pem"\n'
    office.config.write_text(tls + '[dkim]\nselector = "s1"\nkey = "d.pem"\n')
    said = typed("config", "check", "--config", str(office.config)).err
    assert f"{office.config}:2: tls.certificate = " in said
    assert f"{office.config}:6: dkim.key = 'd.pem': " in said


def test_a_key_that_is_nearly_right_is_told_the_right_one(office: Office) -> None:
    office.config.write_text('[tls]\ncertificat = "no.pem"\n[smpt]\nlisten = []\n')
    said = typed("config", "check", "--config", str(office.config)).err
    assert f"{office.config}:2: tls.certificat = 'no.pem': no such key; did you mean certificate?" in said
    assert "did you mean smtp?" in said
