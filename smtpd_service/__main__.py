"""`pulsebox`, and `python -m smtpd_service`."""

import signal
import sys

INTERRUPTED = 130


def main() -> int:
    try:
        # To load takes longer than many a verb, and Ctrl-C may come meanwhile.
        from smtpd_service.cli.app import run  # noqa: PLC0415

        return run(sys.argv[1:])
    except KeyboardInterrupt:
        return INTERRUPTED
    finally:
        # Who is told twice ends once: in its last moments Python gives signals back to the system, which would kill it.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)


if __name__ == "__main__":
    sys.exit(main())
