"""A DNS server of our own on loopback, by UDP and TCP: says what a test wrote, late, cut short, wrong or never."""

import contextlib
import socket
import socketserver
import threading
from collections import Counter
from types import TracebackType
from typing import Any

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rdtypes.ANY.TXT
import dns.rrset

from smtpd_service.setting_types import Endpoint

NEGATIVE_TTL = 60
SOA = "ns.test. hostmaster.test. 1 3600 600 86400"


class Nameserver:
    """Use as a context manager; records may be added and names troubled at any time.

    `asked` counts questions by name and type.
    """

    def __init__(self) -> None:
        self._records: dict[tuple[str, str], list[tuple[int, dns.rdata.Rdata]]] = {}
        self._dead: set[str] = set()
        self._failing: set[str] = set()
        self._cut: set[str] = set()
        self._slow: dict[str, float] = {}
        self.asked: Counter[tuple[str, str]] = Counter()
        self.by_tcp = 0
        self.secure = False
        self._stopping = threading.Event()
        self._tcp = _server(socketserver.ThreadingTCPServer, _Stream, 0, self)
        self._udp = _server(socketserver.ThreadingUDPServer, _Datagram, self._tcp.server_address[1], self)
        self._threads = [
            threading.Thread(target=each.serve_forever, kwargs={"poll_interval": 0.01})
            for each in (self._tcp, self._udp)
        ]

    def __enter__(self) -> "Nameserver":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        for server, thread in zip((self._tcp, self._udp), self._threads, strict=True):
            server.shutdown()
            thread.join()
            server.server_close()

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint(host="127.0.0.1", port=self._tcp.server_address[1])

    # What it says.

    def add(self, name: str, kind: str, *values: str, ttl: int = 300) -> None:
        """Add records as a zone file writes them."""
        for value in values:
            data = dns.rdata.from_text(
                dns.rdataclass.IN, dns.rdatatype.from_text(kind), value, origin=dns.name.root, relativize=False
            )
            self._records.setdefault((name.lower(), kind), []).append((ttl, data))

    def txt(self, name: str, *values: str | bytes, ttl: int = 300) -> None:
        """Add TXT records, each in as many strings as it needs."""
        for value in values:
            octets = value.encode() if isinstance(value, str) else value
            strings = [octets[start : start + 255] for start in range(0, len(octets) or 1, 255)]
            data = dns.rdtypes.ANY.TXT.TXT(dns.rdataclass.IN, dns.rdatatype.TXT, strings)
            self._records.setdefault((name.lower(), "TXT"), []).append((ttl, data))

    def forget(self, name: str, kind: str) -> None:
        self._records.pop((name, kind), None)

    def dead(self, *names: str) -> None:
        """Never answer for these names; `*` stands for all."""
        self._dead.update(names)

    def failing(self, *names: str) -> None:
        """Answer SERVFAIL for these names."""
        self._failing.update(names)

    def mend(self) -> None:
        """Answer again for all names."""
        self._dead.clear()
        self._failing.clear()

    def truncated(self, *names: str) -> None:
        """Cut the answer short by UDP, and give it by TCP."""
        self._cut.update(names)

    def slow(self, seconds: float, *names: str) -> None:
        self._slow.update(dict.fromkeys(names, seconds))

    # How it says it.

    def answer(self, octets: bytes, *, tcp: bool) -> bytes | None:
        query = dns.message.from_wire(octets)
        [question] = query.question
        name, kind = question.name.to_text(omit_final_dot=True).lower(), dns.rdatatype.to_text(question.rdtype)
        self.asked[name, kind] += 1
        self.by_tcp += tcp
        if {name, "*"} & self._dead:
            return None
        self._stopping.wait(self._slow.get(name, self._slow.get("*", 0)))
        response = dns.message.make_response(query, recursion_available=True)
        if self.secure:
            response.flags |= dns.flags.AD
        if name in self._failing:
            response.set_rcode(dns.rcode.SERVFAIL)
        elif name in self._cut and not tcp:
            response.flags |= dns.flags.TC
        else:
            self._fill(response, question.name, name, kind)
        return response.to_wire(max_size=65535)

    def _fill(self, response: dns.message.Message, asked: dns.name.Name, name: str, kind: str) -> None:
        found = self._records.get((name, kind), [])
        if found:
            rrset = dns.rrset.from_rdata_list(asked, min(ttl for ttl, _ in found), [data for _, data in found])
            response.answer.append(rrset)
            return
        if not any(each == name or each.endswith(f".{name}") for each, _ in self._records):
            response.set_rcode(dns.rcode.NXDOMAIN)
        response.authority.append(
            dns.rrset.from_text(dns.name.root, NEGATIVE_TTL, "IN", "SOA", f"{SOA} {NEGATIVE_TTL}")
        )


class _Datagram(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        octets, sock = self.request
        answer = self.server.zones.answer(octets, tcp=False)  # type: ignore[attr-defined]
        if answer is not None:
            with contextlib.suppress(OSError):
                sock.sendto(answer, self.client_address)


class _Stream(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        length = int.from_bytes(self.rfile.read(2), "big")
        answer = self.server.zones.answer(self.rfile.read(length), tcp=True) if length else None  # type: ignore[attr-defined]
        if answer is not None:
            with contextlib.suppress(OSError):
                self.wfile.write(len(answer).to_bytes(2, "big") + answer)


def _server(kind: type[Any], handler: type[Any], port: int, zones: Nameserver) -> Any:
    server = kind(("127.0.0.1", port), handler, bind_and_activate=False)
    server.daemon_threads = True
    server.zones = zones
    server.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.server_bind()
    if kind is socketserver.ThreadingTCPServer:
        server.server_activate()
    return server
