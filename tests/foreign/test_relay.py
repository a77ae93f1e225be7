"""The relay of the tests does what its docstring says, or what is tested with it proves nothing."""

import base64
import smtplib
import socket

import pytest

from tests.relay import HALF_CLOSE, HANG, HANG_UP, TROUBLES, RelayServer, relay

ANN, BOB = "ann@agency.test", "bob@agency.test"
LETTER = b"Subject: x\r\n\r\n.dot\r\n"


def sent(server: RelayServer, *recipients: str, options: tuple[str, ...] = ()) -> None:
    with smtplib.SMTP(*server.address, timeout=0.3) as client:
        client.sendmail(ANN, recipients or (BOB,), LETTER, mail_options=options)


def test_it_keeps_what_it_takes() -> None:
    with relay() as server:
        sent(server, BOB, ANN, options=("RET=HDRS", "SIZE=3"))
        [mail] = server.taken
    # What smtplib adds itself comes first.
    assert mail.parameters[-2:] == ("RET=HDRS", "SIZE=3")
    assert (mail.sender, mail.recipients, mail.octets, mail.session) == (ANN, (BOB, ANN), LETTER, 1)


@pytest.mark.parametrize("name", TROUBLES)
def test_it_misbehaves_as_told_and_well_again_when_told(name: str) -> None:
    way = next(iter(TROUBLES[name].values()))
    expected: tuple[type[Exception], ...] = (smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused)
    if way == HANG:
        expected = (TimeoutError, smtplib.SMTPServerDisconnected)
    elif way in (HANG_UP, HALF_CLOSE):
        expected = (smtplib.SMTPServerDisconnected,)
    elif name == "4xx at ehlo":
        # smtplib goes on with HELO, which was not spoiled.
        expected = ()
    with relay(**TROUBLES[name]) as server:
        if expected:
            with pytest.raises(expected):
                sent(server)
        else:
            sent(server)
        assert len(server.taken) == (0 if expected else 1)
        server.behave()
        sent(server)
        assert server.taken[-1].recipients == (BOB,)


def test_it_answers_one_recipient_otherwise_and_several_answers_in_turn() -> None:
    with relay(recipients={ANN: "550 5.1.1 unknown"}, rcpt=("450 4.2.1 greylisted", "250 2.1.5 ok")) as server:
        with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
            sent(server, ANN, BOB)
        assert {address: code for address, (code, _) in refused.value.recipients.items()} == {ANN: 550, BOB: 450}
        sent(server, ANN, BOB)
        assert [mail.recipients for mail in server.taken] == [(BOB,)]


def test_it_goes_away_and_comes_back_on_the_same_port() -> None:
    with relay() as server:
        held = socket.create_connection(server.address, timeout=5)
        server.stop()
        with pytest.raises(ConnectionRefusedError):
            sent(server)
        # The reset of what was open, after the greeting or before it.
        try:
            while held.recv(100):
                pass
        except ConnectionResetError:
            pass
        held.close()
        server.start()
        sent(server)
        assert len(server.taken) == 1


def test_it_asks_for_a_name_and_password() -> None:
    with relay(user=("ann", "secret")) as server:
        with smtplib.SMTP(*server.address, timeout=5) as client:
            with pytest.raises(smtplib.SMTPSenderRefused):
                client.sendmail(ANN, [BOB], LETTER)
            with pytest.raises(smtplib.SMTPAuthenticationError):
                client.login("ann", "wrong")
            client.login("ann", "secret")
            client.sendmail(ANN, [BOB], LETTER)
        with smtplib.SMTP(*server.address, timeout=5) as client:
            client.ehlo()
            assert client.docmd("AUTH LOGIN")[0] == 334
            assert client.docmd(base64.b64encode(b"ann").decode())[0] == 334
            assert client.docmd(base64.b64encode(b"secret").decode())[0] == 235
        assert [mail.user for mail in server.taken] == ["ann"]
