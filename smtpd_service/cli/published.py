"""What DNS says of us, and what to publish: MX, addresses, SPF, DKIM, DMARC, MTA-STS, DANE."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC

from smtpd_service.cli.remark import Finding, fail, ok, warn
from smtpd_service.identity import now
from smtpd_service.resolver import Answer, Resolver

# Names that never are on the network (RFC 2606, RFC 6761).
_RESERVED = ("test", "example", "invalid", "localhost", "local")
_RESERVED_DOMAINS = ("example.com", "example.net", "example.org")


@dataclass(frozen=True, slots=True)
class Signer:
    """Whose DKIM signatures we make: `tags` are those of the key's record, as they belong in DNS."""

    domain: str
    selector: str
    tags: str


@dataclass(frozen=True, slots=True)
class Published:
    """What is to be found in DNS.

    `tlsa` is the data of `3 1 1` for our certificate, None without TLS; `direct` says that we send to MX hosts.
    """

    hostname: str
    domains: Sequence[str]
    tlsa: bytes | None
    signer: Signer | None
    direct: bool


def is_reserved(name: str) -> bool:
    return name.rpartition(".")[2] in _RESERVED or any(
        name == each or name.endswith(f".{each}") for each in _RESERVED_DOMAINS
    )


def check_names(resolver: Resolver, wanted: Published) -> Iterator[Finding]:
    """Look up all that others look up of us. Where no server answers, that is the only finding."""
    if is_reserved(wanted.hostname):
        yield warn(
            "dns", f"{wanted.hostname} is a name for examples, nothing is looked up", "set [smtp] hostname to your own"
        )
        return
    addresses = resolver.addresses(wanted.hostname)
    if addresses.trouble:
        yield fail("dns", f"no answer for {wanted.hostname}: {addresses.why}", "see /etc/resolv.conf, or resolvers")
        return
    yield from _host(resolver, wanted, addresses)
    if wanted.signer is not None and wanted.signer.domain and not is_reserved(wanted.signer.domain):
        yield _signature(resolver, wanted.signer, wanted.signer.domain)
    for domain in wanted.domains:
        if is_reserved(domain):
            yield warn(f"dns {domain}", "is a name for examples, nothing is looked up", "list your own mailboxes")
        else:
            yield from _domain(resolver, wanted, domain)


def _host(resolver: Resolver, wanted: Published, addresses: Answer[str]) -> Iterator[Finding]:
    subject = f"dns {wanted.hostname}"
    if not addresses.records:
        yield fail(subject, "has no address", f"publish: {wanted.hostname}. A <address of this machine>")
    else:
        yield ok(subject, ", ".join(addresses.records))
    for address in addresses.records:
        names = resolver.ptr(address)
        if wanted.direct and wanted.hostname not in names.records:
            found = ", ".join(names.records) or names.why or "nothing"
            remedy = "ask who gave you the address for that PTR: many servers refuse mail without it"
            yield warn(f"dns PTR {address}", f"names {found}, not {wanted.hostname}", remedy)
    # The envelope of all we send is <>: SPF judges the name in EHLO (RFC 7208 section 2.4).
    yield _one_text(resolver, f"SPF {wanted.hostname}", wanted.hostname, "v=spf1", "v=spf1 a -all")
    yield _dane(resolver, wanted)


def _domain(resolver: Resolver, wanted: Published, domain: str) -> Iterator[Finding]:
    yield _exchangers(resolver, wanted.hostname, domain)
    if domain != wanted.hostname:
        yield _one_text(resolver, f"SPF {domain}", domain, "v=spf1", "v=spf1 mx -all")
    yield _one_text(resolver, f"DMARC {domain}", f"_dmarc.{domain}", "v=DMARC1", "v=DMARC1; p=none")
    if wanted.signer is not None:
        yield from _own_signature(resolver, wanted.signer, domain)
    if wanted.tlsa is not None:
        yield _strict_transport(resolver, wanted.hostname, domain)


def _exchangers(resolver: Resolver, hostname: str, domain: str) -> Finding:
    subject = f"dns MX {domain}"
    found = resolver.mx(domain)
    hosts = [each.host for each in found.records]
    record = f"publish: {domain}. MX 10 {hostname}."
    if found.trouble:
        return warn(subject, f"no answer: {found.why}", "look again later")
    if not hosts:
        return fail(subject, "there is none: mail goes to the domain's own address, if it has one", record)
    if hosts == ["."]:
        return fail(subject, "says that the domain takes no mail (RFC 7505)", record)
    if hostname not in hosts:
        return warn(subject, f"mail goes to {', '.join(hosts)}", f"well if that relays to us; else {record}")
    return ok(subject, ", ".join(hosts))


def _texts(answer: Answer[tuple[bytes, ...]]) -> list[str]:
    return [b"".join(strings).decode("utf-8", "replace") for strings in answer.records]


def _one_text(resolver: Resolver, what: str, name: str, prefix: str, proposal: str) -> Finding:
    """Look for the one TXT record that begins with `prefix`; two make the name as good as none (RFC 7208, 7489)."""
    found = resolver.txt(name)
    ours = [text for text in _texts(found) if text.lower().startswith(prefix.lower())]
    record = f'publish: {name}. TXT "{proposal}"'
    if found.trouble:
        return warn(f"dns {what}", f"no answer: {found.why}", "look again later")
    if not ours:
        return warn(f"dns {what}", "there is none", record)
    if len(ours) > 1:
        return fail(f"dns {what}", f"there are {len(ours)}, which counts as an error", "leave one of them")
    return ok(f"dns {what}", ours[0])


def _own_signature(resolver: Resolver, signer: Signer, domain: str) -> Iterator[Finding]:
    if not signer.domain:
        yield _signature(resolver, signer, domain)
    elif domain != signer.domain and not domain.endswith(f".{signer.domain}"):
        remedy = 'set [dkim] domain = "": each is signed in its own name then'
        yield warn(f"dns DKIM {domain}", f"its notices go unsigned, for we sign as {signer.domain}", remedy)


def _signature(resolver: Resolver, signer: Signer, domain: str) -> Finding:
    name = f"{signer.selector}._domainkey.{domain}"
    found = resolver.txt(name)
    key = _tag(signer.tags, "p")
    record = f"publish: {name}. TXT {_strings(signer.tags)}"
    if found.trouble:
        return warn(f"dns DKIM {domain}", f"no answer: {found.why}", "look again later")
    if any(_tag(text, "p") == key for text in _texts(found)):
        return ok(f"dns DKIM {domain}", f"{name} holds our key")
    return fail(
        f"dns DKIM {domain}", f"{name} holds {'another key' if found.records else 'nothing'}: we sign in vain", record
    )


def _strings(text: str) -> str:
    """Return a TXT record's text as a zone file takes it: strings of at most 255 octets (RFC 1035 section 3.3)."""
    return " ".join(f'"{text[start : start + 255]}"' for start in range(0, len(text), 255))


def _tag(record: str, name: str) -> str:
    """Return the value of one tag without its blanks (RFC 6376 section 3.2)."""
    for pair in record.split(";"):
        key, _, value = pair.partition("=")
        if key.strip() == name:
            return "".join(value.split())
    return ""


def _strict_transport(resolver: Resolver, hostname: str, domain: str) -> Finding:
    """RFC 8461: a TXT record, and a policy on a web server that only the operator can put there.

    It names the servers that the MX records name: any that it left out would be refused.
    """
    hosts = [each.host for each in resolver.mx(domain).records if each.host != "."] or [hostname]
    servers = " / ".join(f"mx: {host}" for host in hosts)
    policy = f"version: STSv1 / mode: testing / {servers} / max_age: 604800"
    proposal = f"v=STSv1; id={now().astimezone(UTC):%Y%m%d%H%M%S}"
    finding = _one_text(resolver, f"MTA-STS {domain}", f"_mta-sts.{domain}", "v=STSv1", proposal)
    if finding.state == "warn" and finding.remedy.startswith("publish"):
        where = f"https://mta-sts.{domain}/.well-known/mta-sts.txt"
        return warn(
            finding.subject,
            finding.found,
            f"{finding.remedy}, and at {where} the lines: {policy}; once reports are clean, mode: enforce",
        )
    return finding


def _dane(resolver: Resolver, wanted: Published) -> Finding:
    """RFC 7672: usage 3 (the server's own), selector 1 (its public key), matching 1 (SHA-256)."""
    subject = f"dns DANE {wanted.hostname}"
    name = f"_25._tcp.{wanted.hostname}"
    if wanted.tlsa is None:
        found = resolver.tlsa(name)
        if found.records:
            remedy = "set [tls] certificate and key, or take the record away"
            return fail(subject, f"{name} promises TLS that we do not speak: careful senders do not deliver", remedy)
        return ok(subject, "no TLS, no record")
    found = resolver.tlsa(name)
    record = f"publish: {name}. TLSA 3 1 1 {wanted.tlsa.hex()}"
    if found.trouble:
        return warn(subject, f"no answer: {found.why}", "look again later")
    if any((each.usage, each.selector, each.matching, each.data) == (3, 1, 1, wanted.tlsa) for each in found.records):
        return ok(subject, f"{name} holds our key")
    if found.records:
        return fail(subject, f"{name} holds no key of ours: careful senders do not deliver", record)
    return warn(subject, "there is none", f"where the zone is signed (DNSSEC), {record}")
