"""The text of what is asked: from the file to the campaign, written down when it changes."""

from pathlib import Path

from smtpd_service.campaign import default_campaign
from smtpd_service.settings import Settings, load
from storage import changes, rounds
from storage.engine import Store


def settings(folder: Path, request: str) -> Settings:
    file = folder / "pulsebox.toml"
    file.write_text(f"[campaign]\nrequest = '''\n{request}'''\n")
    return load(file, {})


def asked(store: Store, wanted: Settings) -> str:
    with store.unit() as tx:
        given = default_campaign(tx, wanted).request
        found = rounds.find_campaign(tx, "weekly")
    assert found is not None
    assert found.request == given
    return given


def test_the_text_of_the_file_is_the_campaign_s_and_a_new_one_replaces_it(store: Store, tmp_path: Path) -> None:
    text = "What did you do last week?\n1. [your item]\n"
    assert asked(store, settings(tmp_path, text)) == text
    assert asked(store, settings(tmp_path, text)) == text
    assert asked(store, settings(tmp_path, "Another — text")) == "Another — text"
    assert asked(store, settings(tmp_path, "")) == "Another — text"

    with store.reading() as tx:
        [change] = changes.history(tx, "weekly", 10)
    assert (change.who, change.verb, change.after) == ("config.toml", "campaign set", {"request": "Another — text"})
