"""`pulsebox`, and `python -m smtpd_service`."""

import sys

INTERRUPTED = 130


def main() -> int:
    try:
        # To load takes longer than many a verb, and Ctrl-C may come meanwhile.
        from smtpd_service.cli.app import run  # noqa: PLC0415

        return run(sys.argv[1:])
    except KeyboardInterrupt:
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
