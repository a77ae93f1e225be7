"""Bounces of SMTPUTF8 originals, and of what is not ASCII without it (RFC 6533)."""

import email
from dataclasses import replace
from datetime import UTC, datetime
from email.message import Message
from typing import cast

import flufl.bounce

from smtpd_service.domain.notice import Bounce, FailedRecipient, Letterhead
from smtpd_service.outbound.compose import compose_bounce

HEADER = "From: <zoë@agency.test>\r\nSubject: Größe\r\n".encode()
FULL = FailedRecipient("émile@büro.test", None, "5.2.2", "552 5.2.2 mailbox full", 1, 1)
AT = datetime(2025, 3, 10, 20, 11, 5, tzinfo=UTC)
BOUNCE = Bounce("b-1", "zoë@agency.test", AT, None, None, (FULL,), HEADER, False, True, "")
LETTERHEAD = Letterhead("mx.pulsebox.test", "Postmaster")


def octets(bounce: Bounce) -> bytes:
    return compose_bounce(bounce, LETTERHEAD, AT)


def types(bounce: Bounce) -> list[str]:
    dsn = email.message_from_bytes(octets(bounce))
    return [part.get_content_type() for part in cast("list[Message]", dsn.get_payload())]


def test_an_smtputf8_original_gets_global_parts_and_utf8_addresses() -> None:
    assert types(BOUNCE)[1:] == ["message/global-delivery-status", "message/global-headers"]
    assert "\r\nFinal-Recipient: utf-8; émile@büro.test\r\n".encode() in octets(BOUNCE)
    assert "\r\nTo: <zoë@agency.test>\r\n".encode() in octets(BOUNCE)
    assert HEADER in octets(BOUNCE)


def test_a_whole_smtputf8_original_returns_as_message_global() -> None:
    whole = replace(BOUNCE, returned=HEADER + b"\r\nbody\r\n", returned_whole=True)
    assert types(whole)[2] == "message/global"


def test_an_smtputf8_original_that_is_ascii_throughout_gets_the_ordinary_parts() -> None:
    plain = replace(
        BOUNCE, recipient="zoe@agency.test", failed=(replace(FULL, address="e@b.test"),), returned=b"Subject: x\r\n"
    )
    assert types(plain)[1:] == ["message/delivery-status", "text/rfc822-headers"]
    assert octets(plain).isascii()


def test_the_fallback_without_smtputf8_is_seven_bits_throughout() -> None:
    fallback = replace(BOUNCE, smtputf8=False, recipient="zoe@agency.test")
    assert octets(fallback).isascii()
    assert types(fallback)[1:] == ["message/delivery-status", "text/rfc822-headers"]
    assert rb"Final-Recipient: utf-8; \x{E9}mile@b\x{FC}ro.test" in octets(fallback)


def test_a_utf8_orcpt_is_read_and_written_in_both_forms() -> None:
    failed = replace(FULL, original=r"utf-8;\x{E9}mile+2Bx@b.test")
    bounce = replace(BOUNCE, failed=(failed,))
    assert "\r\nOriginal-Recipient: utf-8; émile+x@b.test\r\n".encode() in octets(bounce)
    ascii_form = octets(replace(bounce, smtputf8=False))
    assert rb"Original-Recipient: utf-8; \x{E9}mile\x{2B}x@b.test" in ascii_form


def test_the_sender_is_the_postmaster_of_the_domain_in_ascii() -> None:
    assert email.message_from_bytes(octets(BOUNCE))["From"] == '"Postmaster" <postmaster@xn--bro-hoa.test>'


def test_a_bounce_handler_reads_an_ascii_address_of_an_smtputf8_original() -> None:
    failed = replace(FULL, address="hr@agency.test")
    dsn = email.message_from_bytes(octets(replace(BOUNCE, failed=(failed,))))
    assert flufl.bounce.all_failures(dsn)[1] == {b"hr@agency.test"}
