"""Whatever a stranger writes in a header, looking at it gives an answer and raises nothing."""

from hypothesis import given
from hypothesis import strategies as st

from smtpd_service.authentication import arc, dkim
from smtpd_service.authentication.author import author_address
from smtpd_service.authentication.evidence import letter
from smtpd_service.authentication.relay import believed
from smtpd_service.domain.headers import without_results
from smtpd_service.resolver import Resolver
from smtpd_service.setting_types import Endpoint

PIECES = [
    b"From: ", b"Authentication-Results: ", b"ARC-Seal: ", b"ARC-Message-Signature: ", b"DKIM-Signature: ",
    b"ARC-Authentication-Results: ", b"Received: x", b"\r\n", b"\r\n ", b"; ", b"i=1", b"d=x.test", b"s=s", b"h=from",
    b"a=rsa-sha256", b"b=AAAA", b"bh=AAAA", b"v=1", b"cv=none", b"x=1", b"t=99999999999999999999", b"c=a/b/c", b"l=3",
    b"front.test", b"ann@agency.test", b"<", b">", b'"', b"(", b")", b"\\", b",", b"=", b".", b"dkim=pass", b"spf/1=",
    b"header.d=x.test", b"reason=", b" ", b"\t", b"\xff", b"\xc3\xa9", b"\x00", b"1", b"none",
]  # fmt: skip
HEADERS = st.lists(st.sampled_from(PIECES), max_size=40).map(b"".join)
# A resolver that has no time to ask anybody.
NOBODY = Resolver([Endpoint(host="127.0.0.1", port=9)], 1, 1).within(-1)


@given(HEADERS)
def test_nothing_in_a_header_raises(header: bytes) -> None:
    arrived = letter(header + b"\r\n\r\nbody\r\n", client="192.0.2.1", helo="x", mail_from="a@b.test")
    author_address(arrived.header)
    believed(arrived.header, {"front.test"})
    without_results(header, "front.test")
    assert all(fact.result != "pass" for fact in dkim.check(arrived, NOBODY))
    sealed = arc.check(arrived, {"x.test"}, NOBODY)
    assert sealed is None or sealed[0].result != "pass"


@given(HEADERS)
def test_nothing_in_results_raises(value: bytes) -> None:
    believed(b"Authentication-Results: front.test; " + value + b"\r\n", {"front.test"})
