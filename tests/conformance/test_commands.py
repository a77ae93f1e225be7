"""Lines 5 to 9: how long things may be, what is said in which order, and what ends a transaction."""

import pytest

from tests.conformance.client import Client, session
from tests.conformance.conftest import LONGEST_DOMAIN, LONGEST_LOCAL
from tests.conformance.stored import stored
from tests.service import Service, mail
from tests.session.dialogue import HR, MAIL, RCPT, rows

# Lengths (RFC 5321 section 4.5.3.1).


def test_line_05_a_local_part_of_64_octets_is_taken_and_one_of_65_is_malformed(client: Client) -> None:
    client.converse(
        (f"MAIL FROM:<{'x' * 65}@agency.test>", "553 5.1.7"),
        (f"MAIL FROM:<{'x' * 64}@agency.test>", "250 2.1.0"),
        (f"RCPT TO:<{'x' * 65}@agency.test>", "553 5.1.3"),
        (f"RCPT TO:<{LONGEST_LOCAL}@{LONGEST_DOMAIN}>", "250 2.1.5"),
    )


def test_line_05_a_quoted_local_part_has_64_octets_with_its_quotes(client: Client) -> None:
    client.converse(
        (f'MAIL FROM:<"{"x" * 63}"@agency.test>', "553 5.1.7"), (f'MAIL FROM:<"{"x" * 62}"@agency.test>', "250 2.1.0")
    )


def test_line_05_a_domain_of_255_octets_is_taken_and_one_of_256_is_malformed(client: Client) -> None:
    assert len(LONGEST_DOMAIN) == 255
    client.converse(
        (f"MAIL FROM:<ann@d{LONGEST_DOMAIN}>", "553 5.1.7"),
        (f"MAIL FROM:<ann@{LONGEST_DOMAIN}>", "250 2.1.0"),
        (f"RCPT TO:<{LONGEST_LOCAL}@d{LONGEST_DOMAIN}>", "553 5.1.3"),
        (f"RCPT TO:<{LONGEST_LOCAL}@{LONGEST_DOMAIN}>", "250 2.1.5"),
    )


def test_line_05_a_hello_with_a_domain_of_255_octets_is_taken(house: Service) -> None:
    with session(house, f"EHLO {LONGEST_DOMAIN}") as client:
        client.converse((MAIL, "250 2.1.0"))


def test_line_05_a_command_line_of_512_octets_is_taken_and_one_of_513_is_500(client: Client) -> None:
    longest = "NOOP " + "x" * 505
    assert len(longest) + len("\r\n") == 512
    client.converse((longest, "250 2.0.0"), (longest + "x", "500 5.5.2"), ("NOOP", "250 2.0.0"))


def test_line_05_mail_and_rcpt_may_be_longer_by_what_their_extensions_add(client: Client) -> None:
    client.converse(
        (f"{MAIL} SIZE=1000 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID={'e' * 100}", "250 2.1.0"),
        (
            f"RCPT TO:<{LONGEST_LOCAL}@{LONGEST_DOMAIN}> NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=rfc822;{'o' * 493}",
            "250 2.1.5",
        ),
    )


def test_line_05_a_line_without_end_is_500_once_and_the_session_goes_on(client: Client) -> None:
    client.converse((f"MAIL FROM:<{'x' * 300_000}@agency.test>", "500 5.5.2"), (MAIL, "250 2.1.0"))


@pytest.mark.parametrize("octets", [1_000, 1_001, 2_048, 100_000, 900_000])
def test_line_05_a_text_line_of_1000_octets_is_stored_as_sent_and_so_is_a_longer_one(
    house: Service, client: Client, octets: int
) -> None:
    content = b"Subject: long line\r\n\r\n" + b"x" * (octets - 2) + b"\r\nlast\r\n"
    client.transaction()
    assert stored(house, client.data(content, end=b".\r\n")) == content


def test_line_05_a_message_of_64_kib_is_taken(house: Service, client: Client) -> None:
    content = mail(65_536)
    client.transaction()
    assert stored(house, client.data(content, end=b".\r\n")) == content


# Number (RFC 5321 section 4.5.3.1.8, RFC 9422).


def test_line_06_a_hundred_recipients_are_taken_and_the_next_is_452_while_the_others_get_the_mail(
    house: Service, client: Client
) -> None:
    boxes = [f"RCPT TO:<box{number}@agency.test>" for number in range(101)]
    client.converse((MAIL, "250 2.1.0"), *((each, "250 2.1.5") for each in boxes[:100]), (boxes[100], "452 4.5.3"))
    reply = client.data(mail(subject="to a hundred"))

    assert reply.startswith("250 2.6.0")
    delivered = rows(house, "SELECT recipient FROM delivery WHERE message = :id", id=reply.split()[-1])
    assert len(delivered) == 100


def test_line_06_refused_recipients_do_not_count(client: Client) -> None:
    boxes = [(f"RCPT TO:<box{number}@agency.test>", "250 2.1.5") for number in range(100)]
    client.converse((MAIL, "250 2.1.0"), ("RCPT TO:<nobody@agency.test>", "550 5.1.1"), *boxes)


# Order and syntax (RFC 5321 sections 4.1.4 and 4.2.4).


@pytest.mark.parametrize(
    ("before", "command", "reply"),
    [
        ((), MAIL, "503 5.5.1 Send EHLO first"),
        ((), RCPT, "503 5.5.1"),
        ((), "DATA", "503 5.5.1"),
        (("EHLO a.test",), RCPT, "503 5.5.1"),
        (("EHLO a.test",), "DATA", "503 5.5.1"),
        (("HELO a.test",), "DATA", "503 5.5.1"),
        (("EHLO a.test", MAIL), MAIL, "503 5.5.1"),
        (("EHLO a.test", MAIL), "DATA", "503 5.5.1"),
        (("EHLO a.test", MAIL, RCPT), MAIL, "503 5.5.1"),
        (("EHLO a.test", MAIL, RCPT, "RSET"), "DATA", "503 5.5.1"),
    ],
)
def test_line_07_a_command_out_of_order_is_503(
    house: Service, before: tuple[str, ...], command: str, reply: str
) -> None:
    with session(house, hello="") as client:
        client.ask_all(*before)
        client.converse((command, reply))


@pytest.mark.parametrize("command", ["NOOP", "NOOP with words", "HELP", "RSET", "VRFY hr", "EXPN staff"])
def test_line_07_commands_that_need_no_hello_are_answered_without_one(house: Service, command: str) -> None:
    with session(house, hello="") as client:
        assert not client.ask(command).startswith("503")


@pytest.mark.parametrize(
    "command",
    [
        *("EHLO", "HELO", "EHLO two words", "MAIL", "MAIL FROM", "MAIL TO:<a@b.test>", "RSET now", "QUIT now", "VRFY"),
        *(f"{MAIL} SIZE", f"{MAIL} SIZE=", f"{MAIL} SIZE=ten", f"{MAIL} SIZE=-1", f"{MAIL} SIZE={'9' * 21}"),
        *(f"{MAIL} BODY", f"{MAIL} BODY=9BIT", f"{MAIL} SMTPUTF8=yes", f"{MAIL} =1", f"{MAIL} -A=1", f"{MAIL} A==1"),
        *(f"{MAIL} SIZE=1 SIZE=1", f"{MAIL} size=1 SIZE=2", f"{MAIL} BODY=7BIT body=8BITMIME"),
        *(f"{MAIL} SMTPUTF8 smtputf8", f"{MAIL} RET=FULL RET=FULL", f"{MAIL} ENVID=a envid=b"),
    ],
)
def test_line_07_bad_syntax_is_501(client: Client, command: str) -> None:
    client.converse((command, "501 5.5.4"))


@pytest.mark.parametrize("argument", ["now", "<hr@agency.test>"])
def test_line_07_data_with_an_argument_is_501_and_the_transaction_goes_on(client: Client, argument: str) -> None:
    client.converse((MAIL, "250"), (RCPT, "250"), (f"DATA {argument}", "501 5.5.4"))
    assert client.data(mail()).startswith("250 2.6.0")


@pytest.mark.parametrize(
    "path",
    [
        *("", "ann@agency.test", "<ann>", "<@agency.test>", "<ann@>", "<ann@agency.test", "ann@agency.test>"),
        *("<a b@agency.test>", "<a@b@c.test>", "<.ann@agency.test>", "<ann.@agency.test>", "<a..b@agency.test>"),
        *("<ann@-a.test>", "<ann@a-.test>", "<ann@a..test>", "<ann@.test>", '<"ann@agency.test>', '<"a"b@agency.test>'),
        *('<"a\\"@agency.test>', "<ann@[192.0.2.1>", "<ann@[]>", "<(c)ann@agency.test>", "<ann@agency.test>X=1"),
        *(
            "<@relay.test>",
            "<@relay.test:>",
            "<@relay.test,ann@agency.test>",
            "<:ann@agency.test>",
            "< ann@agency.test>",
        ),
    ],
)
def test_line_07_a_path_that_is_none_is_553_in_mail_and_in_rcpt(client: Client, path: str) -> None:
    client.converse((f"MAIL FROM:{path}", "553 5.1.7"), (MAIL, "250 2.1.0"), (f"RCPT TO:{path}", "553 5.1.3"))


@pytest.mark.parametrize(
    "path",
    [
        *("<ann@agency.test>", '<"ann lee"@agency.test>', '<"a\\"b"@agency.test>', '<""@agency.test>'),
        *("<ann@[192.0.2.1]>", "<ann@[IPv6:2001:db8::1]>", "<@relay.test:ann@agency.test>", "<ann@localhost>"),
        *("<@a.test,@b.test:ann@agency.test>", "<a!b%c&d'e*f+g-h/i=j?k^l_m`n{o|p}q~r#s$t@agency.test>"),
    ],
)
def test_line_07_every_form_of_a_path_that_the_grammar_has_is_taken_in_mail(client: Client, path: str) -> None:
    client.converse((f"MAIL FROM:{path}", "250 2.1.0"))


@pytest.mark.parametrize(
    "path",
    [
        *("<hr@agency.test>", "<HR@AGENCY.TEST>", '<"hr"@agency.test>', '<"h\\r"@agency.test>', '<"HR"@agency.test>'),
        *("<@relay.test:hr@agency.test>", "<@a.test,@b.test:hr@agency.test>", "<replies@agency.test>"),
    ],
)
def test_line_07_every_form_of_a_mailboxs_path_finds_that_mailbox(client: Client, path: str) -> None:
    # RFC 5321 section 4.1.2: all quoted forms are equivalent; appendix C: routes are ignored.
    client.converse((MAIL, "250 2.1.0"), (f"RCPT TO:{path}", "250 2.1.5"))


@pytest.mark.parametrize(
    "path", ["<hr@elsewhere.test>", "<@agency.test:hr@elsewhere.test>", '<"hr@agency.test"@b.test>']
)
def test_line_07_a_path_of_another_host_is_550_whatever_its_form(client: Client, path: str) -> None:
    client.converse((MAIL, "250 2.1.0"), (f"RCPT TO:{path}", "550 5.1.1"))


@pytest.mark.parametrize("parameter", ["FOO", "FOO=1", "X-FOO=a", "AUTH=<>", "MT-PRIORITY=3", "NOTIFY=NEVER", "BY=9;R"])
def test_line_07_a_parameter_that_mail_does_not_know_is_555(client: Client, parameter: str) -> None:
    client.converse((f"{MAIL} {parameter}", "555 5.5.4"), (f"{MAIL} SIZE=10 {parameter}", "555 5.5.4"))


@pytest.mark.parametrize("parameter", ["FOO", "FOO=1", "X-FOO=a", "SIZE=1", "RET=FULL", "BODY=8BITMIME", "ENVID=a"])
def test_line_07_a_parameter_that_rcpt_does_not_know_is_555(client: Client, parameter: str) -> None:
    client.converse((MAIL, "250"), (f"{RCPT} {parameter}", "555 5.5.4"), (f"{RCPT} NOTIFY=NEVER {parameter}", "555"))


@pytest.mark.parametrize(
    "name", ["client.test", "[192.0.2.1]", "[IPv6:2001:db8::1]", "localhost", "xn--bcher-kva.test"]
)
@pytest.mark.parametrize("verb", ["EHLO", "HELO", "ehlo"])
def test_line_07_a_hello_names_a_domain_or_an_address_literal(house: Service, verb: str, name: str) -> None:
    with session(house, f"{verb} {name}") as client:
        client.converse((MAIL, "250 2.1.0"))


def test_line_07_blanks_at_the_end_of_a_command_are_tolerated(client: Client) -> None:
    # RFC 5321 section 4.1.1.
    client.converse(
        ("NOOP ", "250"), ("EHLO client.test  ", "250"), ("RSET ", "250"), (f"{MAIL} ", "250"), (f"{RCPT} ", "250")
    )
    client.converse(("DATA ", "354"))
    client.send(mail() + b".\r\n")
    assert client.reply().startswith("250 2.6.0")
    client.converse(("QUIT ", "221 2.0.0"))


def test_line_07_helo_brings_no_parameters(house: Service) -> None:
    with session(house, "HELO client.test") as client:
        client.converse(
            (f"{MAIL} SIZE=10", "555 5.5.4"), (MAIL, "250"), (f"{RCPT} NOTIFY=NEVER", "555 5.5.4"), (RCPT, "250")
        )


@pytest.mark.parametrize("command", ["FOO", "", " ", "MAIL\tFROM:<a@b.test>", "BDAT 3 LAST", "AUTH PLAIN", "ETRN x"])
def test_line_07_a_command_that_is_not_known_is_500(client: Client, command: str) -> None:
    client.converse((command, "500 5.5.1"))


@pytest.mark.parametrize("verb", ["mail from:", "Mail From:", "MAIL FROM: ", "MAIL from:"])
def test_line_07_verbs_and_parameters_are_known_in_any_case(client: Client, verb: str) -> None:
    client.converse(
        (f"{verb}<ann@agency.test> size=10 Body=8bitMime ret=Hdrs smtpUTF8", "250 2.1.0"),
        (f"rcpt to:<{HR}> Notify=Never", "250 2.1.5"),
        ("noop", "250 2.0.0"),
    )


# What ends a transaction, and what does not (RFC 5321 sections 4.1.1.5 and 4.1.4).


@pytest.mark.parametrize("command", ["RSET", "EHLO other.test", "HELO other.test", "rset"])
def test_line_08_rset_and_a_further_hello_forget_sender_and_recipients(client: Client, command: str) -> None:
    client.converse(
        (MAIL, "250"), (RCPT, "250"), (command, "250"), ("DATA", "503 5.5.1"), (RCPT, "503 5.5.1"), (MAIL, "250 2.1.0")
    )


def test_line_08_rset_keeps_the_hello_and_its_extensions(client: Client) -> None:
    client.converse(("RSET", "250 2.0.0"), (f"{MAIL} SIZE=10 RET=FULL", "250 2.1.0"), (f"{RCPT} NOTIFY=NEVER", "250"))


def test_line_08_a_helo_after_an_ehlo_takes_the_extensions_back(client: Client) -> None:
    client.converse(("HELO client.test", "250 mx.agency.test"), (f"{MAIL} SIZE=10", "555"), (MAIL, "250"))


@pytest.mark.parametrize("hello", ["EHLO", "HELO", "EHLO two words"])
def test_line_08_a_refused_hello_leaves_everything_as_it_was(client: Client, hello: str) -> None:
    client.converse((MAIL, "250"), (RCPT, "250"), (hello, "501 5.5.4"))
    assert client.data(mail()).startswith("250 2.6.0")


@pytest.mark.parametrize(
    "refused",
    [
        *(f"{MAIL} SIZE=1000001", f"{MAIL} FOO=1", f"{MAIL} SIZE=x", "MAIL FROM:<@>", "MAIL FROM:<ä@b.test>"),
        *("MAIL", f"MAIL FROM:<{'x' * 65}@b.test>", f"{MAIL} ENVID={'x' * 101}", f"MAIL FROM:<{'x' * 3_000}@b.test>"),
    ],
)
def test_line_08_a_refused_mail_starts_no_transaction(client: Client, refused: str) -> None:
    assert client.ask(refused)[0] == "5"
    client.converse((RCPT, "503 5.5.1"), ("DATA", "503 5.5.1"), (MAIL, "250 2.1.0"))


@pytest.mark.parametrize("wrong", [f"{RCPT} NOTIFY=X", "RCPT TO:<>", MAIL, "FOO", "EXPN all", "VRFY", "RSET now"])
def test_line_08_an_error_in_the_midst_of_a_transaction_ends_nothing(client: Client, wrong: str) -> None:
    client.converse((MAIL, "250"), (RCPT, "250"))
    assert client.ask(wrong)[0] == "5"
    assert client.data(mail()).startswith("250 2.6.0")


def test_line_08_after_the_end_of_data_nothing_of_the_transaction_is_left(client: Client) -> None:
    client.transaction(f"<{HR}> NOTIFY=NEVER", mail=f"{MAIL} SIZE=999999 RET=FULL ENVID=first")
    assert client.data(mail()).startswith("250 2.6.0")
    client.converse(("DATA", "503 5.5.1"), (RCPT, "503 5.5.1"), (MAIL, "250"), ("DATA", "503 5.5.1"), (RCPT, "250"))


# Nobody to deliver to (RFC 5321 section 3.3, RFC 2920 section 3.1).


@pytest.mark.parametrize("refused", ["RCPT TO:<nobody@agency.test>", "RCPT TO:<full-reject@agency.test>"])
def test_line_09_data_after_every_recipient_was_refused_is_554_and_never_354(client: Client, refused: str) -> None:
    client.converse((MAIL, "250"), (refused, "55"), (refused, "55"), ("DATA", "554 5.5.1"))


def test_line_09_a_recipient_taken_after_that_554_gets_the_mail(client: Client) -> None:
    client.converse((MAIL, "250"), ("RCPT TO:<nobody@agency.test>", "550"), ("DATA", "554 5.5.1"), (RCPT, "250"))
    assert client.data(mail()).startswith("250 2.6.0")


def test_line_09_a_pipelined_group_whose_recipients_are_all_refused_reads_no_content(client: Client) -> None:
    client.converse_at_once(
        (MAIL, "250 2.1.0"),
        ("RCPT TO:<nobody@agency.test>", "550 5.1.1"),
        ("RCPT TO:<full-defer@agency.test>", "452 4.2.2"),
        ("DATA", "554 5.5.1"),
        ("RSET", "250 2.0.0"),
    )


def test_line_09_a_pipelined_group_whose_mail_is_refused_is_refused_to_its_end(client: Client) -> None:
    client.converse_at_once(
        (f"{MAIL} FOO=1", "555 5.5.4"), (RCPT, "503 5.5.1"), (RCPT, "503 5.5.1"), ("DATA", "503 5.5.1"), ("NOOP", "250")
    )


def test_line_09_one_recipient_taken_in_a_pipelined_group_with_errors_gets_the_mail(client: Client) -> None:
    client.converse_at_once(
        (MAIL, "250"),
        ("RCPT TO:<nobody@agency.test>", "550"),
        (f"{RCPT} NOTIFY=X", "501"),
        (RCPT, "250"),
        ("FOO", "500"),
        ("DATA", "354"),
    )
    client.send(mail() + b".\r\n")
    assert client.reply().startswith("250 2.6.0")
