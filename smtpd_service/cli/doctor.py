"""`pulsebox doctor`: is all here that the service needs? One line each, with what to type."""

from dataclasses import asdict

from smtpd_service.cli.checkup import examine
from smtpd_service.cli.options import Config, Json
from smtpd_service.cli.paper import print_grid, print_json
from smtpd_service.cli.remark import Finding


def doctor(*, config: Config = None, json: Json = False) -> int:
    """Look at Python, configuration, database, disk, ports, relay, clock, certificate, DNS; exit 1 where one fails."""
    findings = examine(config)
    if json:
        print_json([asdict(finding) for finding in findings])
    else:
        print_grid([_line(finding) for finding in findings])
    return 1 if any(finding.state == "fail" for finding in findings) else 0


def _line(finding: Finding) -> tuple[str, str, str]:
    return finding.state, finding.subject, f"{finding.found}; {finding.remedy}" if finding.remedy else finding.found
