"""The process that answers those who watch: it takes no mail, and what it does slows and stops nobody who does."""

import asyncio
import socket

from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

from smtpd_service.metrics import Board
from smtpd_service.monitoring.endpoint import REQUEST_LIMIT, Endpoint, Page, verdict
from smtpd_service.monitoring.exposition import Figures
from smtpd_service.monitoring.outlook import Outlook
from smtpd_service.monitoring.state import unhealthy, unready
from storage.engine import Store

INDEX = b"Pulsebox: /metrics /health /ready\n"


async def monitor(
    listening: socket.socket, board: Board, store: Store, mailboxes: int, stopping: asyncio.Event
) -> None:
    """Answer on `listening` until `stopping` is set; the database is looked at meanwhile."""
    outlook = Outlook(store)
    outlook.start()
    figures = Figures(board, outlook, mailboxes)
    endpoint = Endpoint(
        {
            "/": lambda: Page(INDEX),
            "/metrics": lambda: Page(figures.exposition(), CONTENT_TYPE_PLAIN_0_0_4),
            "/health": lambda: verdict(unhealthy(board), "healthy"),
            "/ready": lambda: verdict(unready(board, outlook.seen, outlook.trouble), "ready"),
        }
    )
    server = await asyncio.start_server(endpoint.serve, sock=listening, limit=REQUEST_LIMIT)
    await stopping.wait()
    server.close()
    outlook.stop()
