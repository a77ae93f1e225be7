"""A very small HTTP server for those who watch: GET and HEAD of a few pages, one request a connection.

Promises: a client that is slow, silent or hostile holds up nobody and takes little: requests are short, each has a
few seconds from the first octet to the last of the answer, and where there are too many the oldest is let go. Answers
hold no words of the request. Source: RFC 9110, RFC 9112.
"""

import asyncio
import contextlib
import json
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from smtpd_service.events import Event, note

REQUEST_LIMIT = 8_192
WITHIN = 5.0
AT_ONCE = 64
_REQUEST = re.compile(rb"([A-Z]{1,16}) ([!-~]{1,2000}) HTTP/1\.[01]\r?\n")
_REASONS = {
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    503: "Service Unavailable",
}
PLAIN = "text/plain; charset=utf-8"
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Page:
    body: bytes
    kind: str = PLAIN
    status: int = 200


def verdict(wrong: Sequence[str], well: str) -> Page:
    """Return 200 where nothing is wrong, else 503 with what is, as JSON."""
    said = {"status": f"not {well}" if wrong else well, "reasons": list(wrong)}
    return Page(json.dumps(said).encode() + b"\n", JSON, 503 if wrong else 200)


def _failure(status: int) -> Page:
    return Page(_REASONS[status].encode() + b"\n", status=status)


class Endpoint:
    """Serves `pages`: path to what makes the page."""

    def __init__(self, pages: Mapping[str, Callable[[], Page]]) -> None:
        self._pages = pages
        # What is served, in the order of arrival.
        self._open: dict[asyncio.Timeout, None] = {}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection and close it."""
        limit = asyncio.timeout(WITHIN)
        try:
            with contextlib.suppress(OSError, TimeoutError):
                async with limit:
                    self._enter(limit)
                    head_only, page = await self._answer(reader)
                    writer.write(_octets(page, head_only=head_only))
                    await writer.drain()
        finally:
            self._open.pop(limit, None)
            # Who does not take the answer is not waited for.
            writer.transport.abort() if writer.transport.get_write_buffer_size() else writer.close()

    def _enter(self, limit: asyncio.Timeout) -> None:
        self._open[limit] = None
        if len(self._open) > AT_ONCE:
            oldest = next(iter(self._open))
            del self._open[oldest]
            oldest.reschedule(asyncio.get_running_loop().time())

    async def _answer(self, reader: asyncio.StreamReader) -> tuple[bool, Page]:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.LimitOverrunError:
            return False, _failure(431)
        except asyncio.IncompleteReadError:
            return False, _failure(400)
        asked = _REQUEST.match(head)
        if asked is None:
            return False, _failure(400)
        if asked[1] not in {b"GET", b"HEAD"}:
            return False, _failure(405)
        return asked[1] == b"HEAD", self._page(asked[2].decode("ascii").partition("?")[0])

    def _page(self, path: str) -> Page:
        make = self._pages.get(path)
        if make is None:
            return _failure(404)
        try:
            return make()
        except Exception as error:  # the border: what is wrong stands in the log, not in the answer
            note(Event.MONITORING_FAILED, logging.ERROR, trouble=error, page=path)
            return _failure(500)


def _octets(page: Page, *, head_only: bool) -> bytes:
    head = (
        f"HTTP/1.1 {page.status} {_REASONS[page.status]}\r\n"
        f"Content-Type: {page.kind}\r\n"
        f"Content-Length: {len(page.body)}\r\n"
        + ("Allow: GET, HEAD\r\n" if page.status == 405 else "")
        + "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n"
    )
    return head.encode("ascii") + (b"" if head_only else page.body)
