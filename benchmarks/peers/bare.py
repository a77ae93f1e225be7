"""aiosmtpd as it comes, with a handler that throws the mail away: `python -m benchmarks.peers.bare PORT [uvloop]`."""

import asyncio
import sys

from aiosmtpd.smtp import SMTP, Envelope, Session

COMMAND = (sys.executable, "-m", "benchmarks.peers.bare", "{port}")


class Discard:
    """The least that a handler may be."""

    async def handle_DATA(self, _server: SMTP, _session: Session, _envelope: Envelope) -> str:  # noqa: N802  # its name
        return "250 OK"


async def serve(port: int) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(Discard(), hostname="mx.agency.test", data_size_limit=52_428_800), "127.0.0.1", port, backlog=1024
    )
    await server.serve_forever()


def main(port: int, *, with_uvloop: bool) -> None:
    if with_uvloop:
        import uvloop  # noqa: PLC0415  # measured with it and without

        uvloop.run(serve(port))
    else:
        asyncio.run(serve(port))


if __name__ == "__main__":
    main(int(sys.argv[1]), with_uvloop="uvloop" in sys.argv)
