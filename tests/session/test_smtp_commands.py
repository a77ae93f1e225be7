"""The session's commands: sequence, syntax, parameters, state (RFC 5321, 1870, 2034, 2920, 3461, 6152, 6531)."""

from collections.abc import Iterator

import pytest

from tests.service import Service, mail
from tests.session.dialogue import HR, MAIL, RCPT, Dialogue, all_enhanced, rows, serving, stored_octets

LONGEST_LOCAL = "x" * 64
# Labels are at most 63 octets, the whole domain at most 255.
LONGEST_DOMAIN = ".".join(["d" * 63] * 3 + ["d" * 58 + ".test"])


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    boxes: list[dict[str, object]] = [
        {"address": HR, "aliases": ["replies@agency.test"]},
        {"address": f"{LONGEST_LOCAL}@{LONGEST_DOMAIN}"},
        {"address": "büro@agency.test"},
        *({"address": f"box{number}@agency.test"} for number in range(101)),
    ]
    with serving(tmp_path_factory.mktemp("commands"), *boxes, max_message="1 MB") as running:
        yield running


@pytest.fixture
def client(service: Service) -> Iterator[Dialogue]:
    with Dialogue(service.address) as dialogue:
        yield dialogue.hello()


def test_ehlo_offers_the_extensions_that_work_and_no_others(service: Service) -> None:
    with Dialogue(service.address) as client:
        client.reply()
        offered = [line[4:] for line in client.ask("EHLO client.test").splitlines()]

    assert offered == [
        "mx.agency.test",
        "PIPELINING",
        "8BITMIME",
        "SMTPUTF8",
        "SIZE 1000000",
        "ENHANCEDSTATUSCODES",
        "DSN",
        "LIMITS RCPTMAX=100",
    ]


def test_no_reply_names_a_program_or_a_version(service: Service) -> None:
    with Dialogue(service.address) as client:
        said = [client.reply(), *client.ask_all("EHLO a", "HELP", "NOOP", "FOO", "VRFY hr", "EXPN all", "QUIT")]

    assert said[0] == "220 mx.agency.test ESMTP"
    assert not any(word in " ".join(said).lower() for word in ("pulsebox", "aiosmtpd", "python", "uvloop"))


def test_each_reply_but_greeting_hello_and_354_has_an_enhanced_code_of_its_class(client: Dialogue) -> None:
    commands = (
        *("NOOP", "VRFY hr", "VRFY", "EXPN all", "HELP", "RSET", "RSET now", "FOO", "", "DATA", RCPT),
        *(MAIL, MAIL, "RCPT TO:<nobody@agency.test>", "RCPT TO:<>", "RCPT TO", RCPT + " FOO=1", RCPT + " NOTIFY=X"),
        *("RSET", f"{MAIL} SIZE=1000001", f"{MAIL} FOO=1", f"{MAIL} SIZE=x", "MAIL FROM:<ä@b.test>", "MAIL", "EHLO"),
        *("NOOP " + "x" * 600, MAIL, RCPT, "QUIT now"),
    )
    replies = client.ask_all(*commands)
    replies += [client.data(mail()), client.ask("QUIT")]

    assert all_enhanced(replies), replies


@pytest.mark.parametrize(
    ("before", "command", "reply"),
    [
        ((), MAIL, "503 5.5.1"),
        ((), RCPT, "503 5.5.1"),
        ((), "DATA", "503 5.5.1"),
        (("EHLO a",), RCPT, "503 5.5.1"),
        (("EHLO a",), "DATA", "503 5.5.1"),
        (("EHLO a", MAIL), MAIL, "503 5.5.1"),
        (("EHLO a", MAIL), "DATA", "503 5.5.1"),
        (("EHLO a", MAIL, RCPT), MAIL, "503 5.5.1"),
    ],
)
def test_a_command_out_of_sequence_gets_503(
    service: Service, before: tuple[str, ...], command: str, reply: str
) -> None:
    with Dialogue(service.address) as client:
        client.reply()
        client.ask_all(*before)
        assert client.ask(command).startswith(reply)


@pytest.mark.parametrize(
    "command",
    [
        *("EHLO", "HELO", "EHLO two words", "HELO b\u00fcro.test", "MAIL", "MAIL TO:<a@b.test>", "RSET now", "VRFY"),
        *("QUIT now", f"{MAIL} SIZE=", f"{MAIL} SIZE=ten", f"{MAIL} SIZE=-1", f"{MAIL} BODY=BINARY", f"{MAIL} RET=ALL"),
        *(f"{MAIL} SIZE=1 SIZE=1", f"{MAIL} size=1 SIZE=2", f"{MAIL} SMTPUTF8=1", f"{MAIL} ENVID=a+b", f"{MAIL} RET"),
        *(
            f"{MAIL} ENVID=" + "x" * 101,
            f"{MAIL} SIZE",
            f"{MAIL} =1",
            f"{MAIL} SI\u017fE=1",
            f"{MAIL} BODY=8B\u0131TMIME",
        ),
        *(
            f"{MAIL} SIZE=1\u00a0BODY=7BIT",
            f"{MAIL} SIZE=1\u2028BODY=7BIT",
            f"{MAIL} ENVID=stra\u00dfe",
            f"{MAIL} ENVID=a+2b",
        ),
    ],
)
def test_bad_syntax_gets_501(client: Dialogue, command: str) -> None:
    assert client.ask(command).startswith("501 5.5.4")


@pytest.mark.parametrize(
    "parameter",
    [
        *("NOTIFY=", "NOTIFY", "NOTIFY=EVER", "NOTIFY=NEVER,FAILURE", "NOTIFY=FAILURE,", "NOTIFY=\u017fUCCESS"),
        *("NOTIFY=FAILURE NOTIFY=DELAY", "notify=never NOTIFY=NEVER", "ORCPT=rfc822;a@b ORCPT=rfc822;a@b"),
        *("ORCPT=", "ORCPT", "ORCPT=rfc822", "ORCPT=rfc822;", "ORCPT=;a@b", "ORCPT=rfc822;a+b", "ORCPT=rfc822;a=b"),
        *("ORCPT=rfc822;a+2b", "ORCPT=rfc822;" + "x" * 500),
    ],
)
def test_a_bad_dsn_parameter_of_rcpt_gets_501(client: Dialogue, parameter: str) -> None:
    client.ask(MAIL)
    assert client.ask(f"{RCPT} {parameter}").startswith("501 5.5.4")


@pytest.mark.parametrize("parameter", ["FOO", "FOO=1", "X-FOO=a", "AUTH=<>", "MT-PRIORITY=3", "NOTIFY=NEVER", "BY=9;R"])
def test_an_unknown_parameter_of_mail_gets_555(client: Dialogue, parameter: str) -> None:
    assert client.ask(f"{MAIL} {parameter}").startswith("555 5.5.4")


@pytest.mark.parametrize("parameter", ["FOO", "FOO=1", "X-FOO=a", "SIZE=1", "RET=FULL", "BODY=8BITMIME"])
def test_an_unknown_parameter_of_rcpt_gets_555(client: Dialogue, parameter: str) -> None:
    client.ask(MAIL)
    assert client.ask(f"{RCPT} {parameter}").startswith("555 5.5.4")


def test_helo_brings_no_parameters(service: Service) -> None:
    with Dialogue(service.address) as client:
        client.reply()
        assert client.ask("HELO client.test") == "250 mx.agency.test"
        assert client.ask(f"{MAIL} SIZE=100").startswith("555 ")
        assert client.ask(MAIL).startswith("250 ")
        assert client.ask(f"{RCPT} NOTIFY=NEVER").startswith("555 ")
        assert client.ask(RCPT).startswith("250 ")


@pytest.mark.parametrize("clearing", ["RSET", "EHLO client.test", "HELO client.test"])
def test_rset_and_a_second_hello_clear_the_transaction(client: Dialogue, clearing: str) -> None:
    client.transaction()

    assert client.ask(clearing).startswith("250")
    assert client.ask("DATA").startswith("503 5.5.1")
    assert client.ask(RCPT).startswith("503 5.5.1")
    assert client.ask(MAIL).startswith("250 ")


@pytest.mark.parametrize("refused", [f"{MAIL} SIZE=1000001", f"{MAIL} FOO=1", "MAIL FROM:<@>", "MAIL FROM:<ä@b.test>"])
def test_a_refused_mail_starts_nothing(client: Dialogue, refused: str) -> None:
    assert client.ask(refused)[0] == "5"
    assert client.ask(RCPT).startswith("503 5.5.1")
    assert client.ask(MAIL).startswith("250 ")


def test_after_data_a_new_transaction_begins_clean(client: Dialogue) -> None:
    client.transaction()
    assert client.data(mail()).startswith("250 2.6.0")
    assert client.ask("DATA").startswith("503 ")
    assert client.transaction() == ["250 2.1.0 Sender OK", "250 2.1.5 Recipient OK"]


def test_a_refused_rcpt_leaves_the_transaction_to_the_others(client: Dialogue) -> None:
    replies = client.transaction("<nobody@agency.test>", f"<{HR}>")

    assert [reply[:9] for reply in replies] == ["250 2.1.0", "550 5.1.1", "250 2.1.5"]
    assert client.data(mail()).startswith("250 ")


def test_when_all_recipients_were_refused_data_gets_554_and_never_354(client: Dialogue) -> None:
    client.transaction("<nobody@agency.test>", "<hr@elsewhere.test>")
    assert client.ask("DATA").startswith("554 5.5.1")


def test_the_null_reverse_path_is_taken(service: Service, client: Dialogue) -> None:
    assert client.ask("MAIL FROM:<>") == "250 2.1.0 Sender OK"
    assert client.ask(RCPT).startswith("250 ")
    assert client.data(mail(subject="from nobody")).startswith("250 2.6.0")
    assert rows(service, "SELECT mail_from FROM message ORDER BY id DESC")[0]["mail_from"] == ""


def test_the_null_path_is_no_recipient(client: Dialogue) -> None:
    client.ask(MAIL)
    assert client.ask("RCPT TO:<>").startswith("553 5.1.3")


@pytest.mark.parametrize(
    "path",
    [
        *(
            "ann@agency.test",
            "<ann>",
            "<@agency.test>",
            "<ann@>",
            "<ann@agency.test",
            "<a b@agency.test>",
            "<a@b@c.test>",
        ),
        *("<.ann@agency.test>", "<ann.@agency.test>", "<a..b@agency.test>", "<ann@-a.test>", "<ann@a..test>"),
        *('<"ann@agency.test>', '<"a"b@agency.test>', "<ann@[1.2.3.4>", "<a\tb@agency.test>", "<a\x7fb@agency.test>"),
        *("<" + "x" * 65 + "@agency.test>", "<a@" + "d." * 127 + "test>", "<ann@agency.test>SIZE=1"),
    ],
)
def test_a_malformed_path_gets_553(client: Dialogue, path: str) -> None:
    assert client.ask(f"MAIL FROM:{path}").startswith("553 5.1.7")
    client.ask("MAIL FROM:<ann@agency.test>")
    assert client.ask(f"RCPT TO:{path}").startswith("553 5.1.3")


@pytest.mark.parametrize(
    "command",
    [
        *(
            "mail from:<ann@agency.test>",
            "Mail From: <ann@agency.test>",
            "MAIL FROM:<ann@agency.test> ",
            "MAIL FROM: <>",
        ),
        *('MAIL FROM:<"a b"@agency.test>', 'MAIL FROM:<"a\\"b"@agency.test>', "MAIL FROM:<a+b=c@[192.0.2.1]>"),
        *("MAIL FROM:<a@[IPv6:2001:db8::1]>", "MAIL FROM:<@relay.test,@other.test:ann@agency.test>", "MAIL FROM:<a@b>"),
        *(f"{MAIL} size=10 body=8bitmime ret=hdrs", f"{MAIL} SIZE=0", f"{MAIL}   SIZE=10  BODY=7BIT"),
    ],
)
def test_what_real_clients_write_for_mail_is_taken(client: Dialogue, command: str) -> None:
    assert client.ask(command).startswith("250 2.1.0")


@pytest.mark.parametrize("address", ["HR@AGENCY.TEST", "Hr@agency.test.", "replies@agency.test", "Replies@Agency.Test"])
def test_a_mailbox_is_found_in_any_case_and_by_its_alias(client: Dialogue, address: str) -> None:
    client.ask(MAIL)
    assert client.ask(f"RCPT TO:<{address}>").startswith("250 2.1.5")


def test_a_local_part_of_64_a_domain_of_255_and_a_command_of_512_octets_are_taken(client: Dialogue) -> None:
    longest = f"<{LONGEST_LOCAL}@{LONGEST_DOMAIN}>"
    assert len(LONGEST_DOMAIN) == 255

    assert client.ask(f"MAIL FROM:{longest}").startswith("250 ")
    assert client.ask(f"RCPT TO:{longest} ORCPT=rfc822;{'x' * 493}").startswith("250 ")
    assert client.ask("NOOP " + "x" * 505).startswith("250 ")


def test_a_command_line_that_is_too_long_gets_500_and_the_session_goes_on(client: Dialogue) -> None:
    assert client.ask("NOOP " + "x" * 506).startswith("500 5.5.2")
    assert client.ask(f"MAIL FROM:<{'x' * 3_000}@agency.test>").startswith("500 5.5.2")
    assert client.ask("NOOP " + "x" * 300_000).startswith("500 5.5.2")
    assert client.ask("NOOP").startswith("250 ")


def test_one_recipient_too_many_gets_452_and_the_others_get_the_mail(service: Service, client: Dialogue) -> None:
    replies = client.transaction(*(f"<box{number}@agency.test>" for number in range(101)))

    assert [reply[:9] for reply in replies[1:]] == ["250 2.1.5"] * 100 + ["452 4.5.3"]
    assert client.data(mail(subject="to a hundred")).startswith("250 ")
    assert len(rows(service, "SELECT * FROM delivery WHERE recipient LIKE 'box%'")) == 100


def test_an_address_its_other_case_and_its_alias_are_one_delivery(service: Service, client: Dialogue) -> None:
    replies = client.transaction(f"<{HR}>", "<HR@agency.test>", "<replies@agency.test>", f"<{HR}>")
    reply = client.data(mail(subject="four times the same"))

    assert [each[:3] for each in replies] == ["250"] * 5
    stored = reply.split()[-1]
    assert len(rows(service, "SELECT * FROM delivery WHERE message = :id", id=stored)) == 1


def test_vrfy_gets_252_for_any_name_and_expn_502(client: Dialogue) -> None:
    assert client.ask(f"VRFY {HR}") == client.ask("VRFY nobody@nowhere.test")
    assert client.ask("VRFY hr").startswith("252 2.0.0")
    assert client.ask("EXPN staff").startswith("502 5.5.1")


def test_no_mail_is_relayed(client: Dialogue) -> None:
    client.ask(MAIL)
    for address in ("bob@elsewhere.test", "hr%agency.test@elsewhere.test", '"hr@agency.test"@elsewhere.test'):
        assert client.ask(f"RCPT TO:<{address}>").startswith("550 5.1.1")
    assert client.ask("RCPT TO:<@elsewhere.test:bob@elsewhere.test>").startswith("550 5.1.1")


@pytest.mark.parametrize("verb", ["AUTH PLAIN", "BDAT 10 LAST", "STARTTLS", "ETRN x", "TURN", "GET / HTTP/1.1"])
def test_what_is_not_offered_gets_500(client: Dialogue, verb: str) -> None:
    assert client.ask(verb).startswith("500 5.5.1")


@pytest.mark.parametrize(
    "command", [b"MAIL FROM:<\xff@b.test>", b"NOOP \xc3", b"MAIL FROM:<\xed\xa0\x80@b.test> SMTPUTF8"]
)
def test_octets_that_are_no_utf8_get_501(client: Dialogue, command: bytes) -> None:
    assert client.ask(command).startswith("501 5.5.4")


def test_an_address_outside_ascii_needs_smtputf8(service: Service, client: Dialogue) -> None:
    assert client.ask("MAIL FROM:<jürgen@agency.test>").startswith("553 5.6.7")
    assert client.ask(MAIL).startswith("250 ")
    assert client.ask("RCPT TO:<büro@agency.test>").startswith("553 5.6.7")
    client.ask("RSET")
    assert client.ask("MAIL FROM:<jürgen@agency.test> SMTPUTF8").startswith("250 ")
    # The same name in the other normal form: u and a combining diaeresis.
    assert client.ask("RCPT TO:<bu\u0308ro@agency.test>").startswith("250 ")
    assert client.data(mail(subject="Grüße")).startswith("250 ")
    [row] = rows(service, "SELECT mail_from, smtputf8, trace FROM message WHERE smtputf8")
    assert row["mail_from"] == "jürgen@agency.test"
    assert "with UTF8SMTP id" in row["trace"]


def test_a_declared_size_over_the_maximum_is_refused_at_mail(client: Dialogue) -> None:
    assert client.ask(f"{MAIL} SIZE=1000001").startswith("552 5.3.4")
    assert client.ask(f"{MAIL} SIZE=99999999999999999999").startswith("552 5.3.4")
    assert client.ask(f"{MAIL} SIZE=1000000").startswith("250 ")


def test_a_size_declared_too_small_is_still_checked_at_the_end(service: Service, client: Dialogue) -> None:
    largest = mail() + b"x" * (999_998 - len(mail()))
    client.transaction(mail=f"{MAIL} SIZE=10")
    assert client.data(largest + b"x").startswith("552 5.3.4")
    client.transaction(mail=f"{MAIL} SIZE=10")
    assert client.data(largest).startswith("250 ")

    [refusal] = rows(service, "SELECT stage, octets, outcome FROM refusal WHERE outcome = 'TooBigForSystem'")
    assert refusal == {"stage": "data", "octets": 1_000_001, "outcome": "TooBigForSystem"}


def test_a_whole_transaction_in_one_write_is_answered_in_order(client: Dialogue) -> None:
    client.send(f"{MAIL} SIZE=500\r\n{RCPT}\r\nDATA\r\n".encode() + mail(subject="in one write") + b".\r\nQUIT\r\n")

    assert [client.reply()[:3] for _ in range(5)] == ["250", "250", "354", "250", "221"]
    assert client.closed()


def test_several_transactions_in_one_write_are_all_stored_in_order(service: Service, client: Dialogue) -> None:
    sent = [mail(subject=f"in a row {number}") for number in range(5)]
    client.send(b"".join(f"{MAIL}\r\n{RCPT}\r\nDATA\r\n".encode() + each + b".\r\n" for each in sent) + b"QUIT\r\n")

    replies = [client.reply()[:3] for _ in range(21)]
    assert replies == ["250", "250", "354", "250"] * 5 + ["221"]
    assert [octets for octets in stored_octets(service) if b"in a row" in octets] == sent


def test_a_pipelined_data_whose_recipients_were_all_refused_reads_no_content(client: Dialogue) -> None:
    client.send(f"{MAIL}\r\nRCPT TO:<nobody@agency.test>\r\nDATA\r\nNOOP\r\n".encode())

    assert [client.reply()[:3] for _ in range(4)] == ["250", "550", "554", "250"]


def test_a_command_in_single_octets_is_one_command(client: Dialogue) -> None:
    for octet in MAIL.encode() + b"\r\n":
        client.send(bytes([octet]))
    assert client.reply().startswith("250 2.1.0")


@pytest.mark.parametrize(
    "line",
    [
        *(b"NOOP\nNOOP\r\n", b"NOOP\n", b"NO\rOP\r\n", b"NOOP\r\r\n", b"NOOP\0\r\n", b"\nNOOP\r\n", b"\0\r\n"),
        *(b'MAIL FROM:<"a\rX: 1"@b.test>\r\n', b'MAIL FROM:<"a\0"@b.test>\r\n', b"MAIL FROM:<a@b.test>\n"),
    ],
)
def test_a_bare_cr_a_bare_lf_or_a_nul_in_a_command_gets_521_and_ends_the_session(client: Dialogue, line: bytes) -> None:
    client.send(line)
    assert client.reply().startswith("521 5.5.2")
    assert client.closed()


def test_quit_gets_221_and_the_server_closes(client: Dialogue) -> None:
    assert client.ask("QUIT") == "221 2.0.0 Bye"
    assert client.closed()
