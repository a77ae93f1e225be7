"""`pulsebox`, and `python -m smtpd_service`."""

import sys

from smtpd_service.cli.app import run


def main() -> int:
    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
