"""What `doctor` says of our certificate, our signing key and our names in DNS, against a name server on loopback."""

import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.x509.oid import NameOID

from smtpd_service.cli.certificate import check_certificate
from smtpd_service.cli.outside import from_outside
from smtpd_service.cli.remark import Finding
from smtpd_service.outbound.signing import read_key
from smtpd_service.settings import Settings, load
from tests.nameserver import Nameserver
from tests.signing import ed25519_key

HOST = "mx.agency.gov.zz"
DOMAIN = "agency.gov.zz"
NOW = datetime(2026, 11, 22, tzinfo=UTC)


def write_key(file: Path, key: Any, password: bytes | None = None) -> Path:
    how = BestAvailableEncryption(password) if password else NoEncryption()
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, how))
    return file


def write_certificate(
    file: Path, key: EllipticCurvePrivateKey, *names: str, since: datetime = NOW - timedelta(days=1), days: int = 90
) -> Path:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0] if names else "nobody")])
    building = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(since)
        .not_valid_after(since + timedelta(days=days))
    )
    if names:
        alternative = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
        building = building.add_extension(alternative, critical=False)
    file.write_bytes(building.sign(key, SHA256()).public_bytes(Encoding.PEM))
    return file


@pytest.mark.parametrize(
    ("names", "days", "state", "word"),
    [
        ((HOST,), 90, "ok", HOST),
        ((f"*.{DOMAIN}",), 90, "ok", "holds until 2027"),
        ((f"*.mx.{DOMAIN}", DOMAIN), 90, "warn", f"not for {HOST}"),
        ((), 90, "warn", "is for no name"),
        ((HOST,), 15, "warn", "2026-12-06"),
        ((HOST,), 1, "fail", "held until 2026-11-22"),
    ],
)
def test_a_certificate_is_judged_by_its_names_and_its_time(
    tmp_path: Path, names: tuple[str, ...], days: int, state: str, word: str
) -> None:
    key = generate_private_key(SECP256R1())
    certificate = write_certificate(tmp_path / "c.pem", key, *names, days=days)

    finding, digest = check_certificate(certificate, write_key(tmp_path / "k.pem", key), HOST, NOW)

    assert (finding.state, digest is not None) == (state, True)
    assert word in finding.found


def test_a_certificate_of_tomorrow_is_told(tmp_path: Path) -> None:
    key = generate_private_key(SECP256R1())
    certificate = write_certificate(tmp_path / "c.pem", key, HOST, since=NOW + timedelta(days=1))

    finding, _ = check_certificate(certificate, write_key(tmp_path / "k.pem", key), HOST, NOW)

    assert (finding.state, finding.remedy) == ("fail", "see the clock")


def test_files_that_do_not_belong_together_or_cannot_be_read_are_told(tmp_path: Path) -> None:
    key, other = generate_private_key(SECP256R1()), generate_private_key(SECP256R1())
    certificate = write_certificate(tmp_path / "c.pem", key, HOST)
    cases = (
        (certificate, write_key(tmp_path / "other.pem", other), "does not belong to the key"),
        (certificate, tmp_path / "none.pem", "No such file"),
        (certificate, write_key(tmp_path / "locked.pem", key, b"secret"), "cannot be read"),
        (certificate, certificate, "cannot be read"),
        (tmp_path / "none.pem", certificate, "No such file"),
        (write_key(tmp_path / "k.pem", key), certificate, "cannot be read"),
    )

    for each, its_key, said in cases:
        finding, digest = check_certificate(each, its_key, HOST, NOW)
        assert (finding.state, digest) == ("fail", None)
        assert said in finding.found


@pytest.fixture
def settings(tmp_path: Path, nameserver: Nameserver) -> Settings:
    key, signing = generate_private_key(SECP256R1()), Ed25519PrivateKey.generate()
    write_certificate(tmp_path / "c.pem", key, HOST, since=datetime.now(UTC))
    write_key(tmp_path / "k.pem", key)
    write_key(tmp_path / "d.pem", signing)
    config = tmp_path / "config.toml"
    config.write_text(
        f'[smtp]\nhostname = "{HOST}"\n'
        '[tls]\ncertificate = "c.pem"\nkey = "k.pem"\n'
        '[dkim]\nselector = "s1"\nkey = "d.pem"\n[outbound]\ndirect = true\n'
        f'[authentication]\nresolvers = ["{nameserver.endpoint}"]\ntimeout = "300 ms"\n'
    )
    return load(config, {})


def looked(settings: Settings, *domains: str) -> dict[str, Finding]:
    return {finding.subject: finding for finding in from_outside(settings, domains or (DOMAIN,))}


def published(finding: Finding) -> str:
    """Return the record that a finding asks for."""
    return finding.remedy.partition("publish: ")[2].partition(", and at")[0]


def test_what_doctor_says_to_publish_makes_doctor_content(settings: Settings, nameserver: Nameserver) -> None:
    nameserver.add(HOST, "A", "192.0.2.25")
    first = looked(settings)
    asked = [published(finding) for finding in first.values() if published(finding)]

    assert {finding.state for finding in first.values()} == {"ok", "warn", "fail"}
    # MX, SPF twice, DMARC, DKIM, MTA-STS, DANE.
    assert len(asked) == 7
    for record in asked:
        name, kind, value = record.split(" ", 2)
        nameserver.add(name.removesuffix("."), kind, value)
    nameserver.add("25.2.0.192.in-addr.arpa", "PTR", f"{HOST}.")

    assert {subject: finding.state for subject, finding in looked(settings).items() if finding.state != "ok"} == {}


def test_a_host_without_address_and_a_domain_that_takes_no_mail_are_failures(
    settings: Settings, nameserver: Nameserver
) -> None:
    nameserver.add(DOMAIN, "MX", "0 .")

    found = looked(settings)

    assert found[f"dns {HOST}"].state == "fail"
    assert (found[f"dns MX {DOMAIN}"].state, "RFC 7505" in found[f"dns MX {DOMAIN}"].found) == ("fail", True)


def test_mail_that_goes_elsewhere_is_a_warning(settings: Settings, nameserver: Nameserver) -> None:
    nameserver.add(HOST, "A", "192.0.2.25")
    nameserver.add(DOMAIN, "MX", "10 filter.cloud.zz.")

    finding = looked(settings)[f"dns MX {DOMAIN}"]

    assert (finding.state, finding.found) == ("warn", "mail goes to filter.cloud.zz")


def test_two_spf_records_are_an_error(settings: Settings, nameserver: Nameserver) -> None:
    nameserver.add(HOST, "A", "192.0.2.25")
    nameserver.txt(DOMAIN, "v=spf1 mx -all", "v=spf1 a -all", "another text")

    assert looked(settings)[f"dns SPF {DOMAIN}"].state == "fail"


def test_keys_that_are_not_ours_are_failures(settings: Settings, nameserver: Nameserver) -> None:
    nameserver.add(HOST, "A", "192.0.2.25")
    nameserver.add(f"_25._tcp.{HOST}", "TLSA", "3 1 1 " + "00" * 32)
    other = Ed25519PrivateKey.generate().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    nameserver.txt(f"s1._domainkey.{DOMAIN}", f"v=DKIM1; k=ed25519; p={base64.b64encode(other).decode()}")

    found = looked(settings)

    assert found[f"dns DANE {HOST}"].state == "fail"
    assert (found[f"dns DKIM {DOMAIN}"].state, "another key" in found[f"dns DKIM {DOMAIN}"].found) == ("fail", True)


def test_a_key_above_the_mailboxes_domain_is_looked_up_there(settings: Settings, nameserver: Nameserver) -> None:
    nameserver.add(HOST, "A", "192.0.2.25")
    above = signing_as(settings, "gov.zz")

    found = looked(above, DOMAIN, "other.zz")

    assert (found["dns DKIM gov.zz"].state, f"dns DKIM {DOMAIN}" in found) == ("fail", False)
    assert (found["dns DKIM other.zz"].state, "unsigned" in found["dns DKIM other.zz"].found) == ("warn", True)


def signing_as(settings: Settings, domain: str) -> Settings:
    return settings.model_copy(update={"dkim": settings.dkim.model_copy(update={"domain": domain})})


def test_a_key_that_the_courier_signs_with_is_read_as_it_reads_it(
    settings: Settings, nameserver: Nameserver, tmp_path: Path
) -> None:
    made = ed25519_key()
    (tmp_path / "d.pem").write_bytes(made.private)
    assert read_key(tmp_path / "d.pem").algorithm == made.algorithm
    nameserver.add(HOST, "A", "192.0.2.25")
    nameserver.txt(f"s1._domainkey.{DOMAIN}", made.record)

    assert looked(settings)[f"dns DKIM {DOMAIN}"].state == "ok"


def test_a_policy_to_publish_names_the_servers_that_take_the_mail(settings: Settings, nameserver: Nameserver) -> None:
    """One that named us alone would have senders refuse the front servers."""
    nameserver.add(HOST, "A", "192.0.2.25")
    nameserver.add(DOMAIN, "MX", "10 front1.agency.gov.zz.", "20 front2.agency.gov.zz.")

    remedy = looked(settings)[f"dns MTA-STS {DOMAIN}"].remedy

    assert "mode: testing / mx: front1.agency.gov.zz / mx: front2.agency.gov.zz / max_age" in remedy


def test_a_domain_that_is_our_host_has_one_spf_record(settings: Settings, nameserver: Nameserver) -> None:
    nameserver.add(HOST, "A", "192.0.2.25")
    proposed = [finding for finding in from_outside(settings, [HOST]) if finding.subject == f"dns SPF {HOST}"]
    assert len(proposed) == 1


def test_an_address_that_does_not_name_us_back_is_a_warning(settings: Settings, nameserver: Nameserver) -> None:
    nameserver.add(HOST, "A", "192.0.2.25")
    nameserver.add("25.2.0.192.in-addr.arpa", "PTR", "dynamic-25.isp.zz.")

    finding = looked(settings)["dns PTR 192.0.2.25"]

    assert (finding.state, "dynamic-25.isp.zz" in finding.found) == ("warn", True)


def test_name_servers_that_do_not_answer_are_one_finding(settings: Settings, nameserver: Nameserver) -> None:
    nameserver.dead("*")

    found = [finding for subject, finding in looked(settings).items() if subject.startswith("dns")]

    assert [finding.state for finding in found] == ["fail"]


def test_names_for_examples_are_not_looked_up(settings: Settings, nameserver: Nameserver) -> None:
    nameserver.add(HOST, "A", "192.0.2.25")

    found = looked(settings, "agency.example", "hr.example.org", "here.test")

    assert [found[f"dns {name}"].state for name in ("agency.example", "hr.example.org", "here.test")] == ["warn"] * 3
    assert not [name for name, _ in nameserver.asked if name.endswith((".example", "example.org", ".test"))]
