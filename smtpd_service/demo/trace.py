"""The fields that a mail gathers on its way from the client to us: a third of a short mail."""

import base64
import random
from datetime import timedelta
from email.utils import format_datetime

from smtpd_service.demo.letter import Letter
from smtpd_service.demo.mime import field, token

HEXADECIMAL = "0123456789abcdef"

# The hops of each service, the last first; documentation's addresses (RFC 5737) stand for clients.
SUBMISSION = (
    "from mail.{domain} (localhost [127.0.0.1]) by gateway.{domain} (Postfix) with ESMTPS id {id} for <{to}>; {date}",
    (
        "from [192.0.2.{octet}] (unknown [192.0.2.{octet}]) (using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 "
        "(256/256 bits) key-exchange X25519) (Authenticated sender: {sender}) by mail.{domain} (Postfix) "
        "with ESMTPSA id {id2} for <{to}>; {date}"
    ),
)
GOOGLE = (
    "by mail-yw1-f{octet}.google.com with SMTP id 00721157ae682-{id} for <{to}>; {date}",
    "by 2002:a05:690c:{octet}:b0:6ef:{octet} with SMTP id 00721157ae682-{id}; {date}",
)
YAHOO = (
    "from sonic.gate.mail.ne1.yahoo.com by sonic{octet}.consmtp.mail.ne1.yahoo.com with HTTP; {date}",
    "by hermes--production-ne1-{id} (Yahoo Inc. Hermes SMTP Server) with ESMTPA ID {id}; {date}",
)
EXCHANGE = (
    (
        "from {id}.NAMP110.PROD.OUTLOOK.COM (2001:db8:1:{octet}::15) by {id2}.NAMP110.PROD.OUTLOOK.COM "
        "(2001:db8:2:{octet}::9) with Microsoft SMTP Server (version=TLS1_2, "
        "cipher=TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384) id 15.20.8466.{octet}; {date}"
    ),
    (
        "from {id}.NAMP110.PROD.OUTLOOK.COM ([fe80::{octet}%5]) by {id}.NAMP110.PROD.OUTLOOK.COM "
        "([fe80::{octet}%5]) with mapi id 15.20.8466.016; {date}"
    ),
)


def received(hops: tuple[str, ...], letter: Letter, rng: random.Random) -> list[str]:
    """Return a Received field a hop, each a second or so after the one below it."""
    facts = {
        "domain": letter.writer.address.rpartition("@")[2],
        "sender": letter.writer.address,
        "to": letter.asker,
        "id": token(rng, 14),
        "id2": token(rng, 14),
        "octet": str(rng.randrange(10, 250)),
    }
    written = letter.written_at.replace(microsecond=0)
    times = [written + timedelta(seconds=late) for late in range(len(hops), 0, -1)]
    return [
        field("Received", hop.format(**facts, date=format_datetime(time)))
        for hop, time in zip(hops, times, strict=True)
    ]


def exchange_stamps(rng: random.Random) -> list[str]:
    """Return what Exchange Online adds below: verdicts in the clear and in base64."""
    tenant = "-".join(token(rng, length, HEXADECIMAL) for length in (8, 4, 4, 4, 12))
    stamps = {
        "X-MS-PublicTrafficType": "Email",
        "X-MS-Office365-Filtering-Correlation-Id": tenant,
        "X-MS-Exchange-SenderADCheck": "1",
        "X-MS-Exchange-AntiSpam-Relay": "0",
        "X-Microsoft-Antispam": "BCL:0;ARA:13230040|366016|1800799024|376014|38070700018;",
        "X-Microsoft-Antispam-Message-Info": _blob(rng, rng.randrange(400, 900)),
        "X-Forefront-Antispam-Report": "CIP:255.255.255.255;CTRY:;LANG:en;SCL:1;SRV:;IPV:NLI;SFV:NSPM;DIR:OUT;",
        "X-MS-Exchange-AntiSpam-MessageData-ChunkCount": "1",
        "X-MS-Exchange-AntiSpam-MessageData-0": _blob(rng, rng.randrange(500, 1_300)),
        "X-MS-Exchange-CrossTenant-Id": tenant,
        "X-MS-Exchange-CrossTenant-FromEntityHeader": "Hosted",
    }
    return [field(name, value) for name, value in stamps.items()]


def google_stamps(rng: random.Random) -> list[str]:
    """Return what Gmail's sending servers add."""
    return [
        field("X-Gm-Message-State", f"AOJu0Y{token(rng, 60, HEXADECIMAL)} {_blob(rng, 120)}"),
        field("X-Gm-Gg", f"ASbGnc{_blob(rng, 150)}"),
        field("X-Google-Smtp-Source", f"AGHT+I{_blob(rng, 54)}"),
    ]


def _blob(rng: random.Random, octets: int) -> str:
    """Return base64 with a blank each 72 letters, where a field may fold."""
    letters = base64.b64encode(rng.randbytes(octets)).decode()
    return " ".join(letters[start : start + 72] for start in range(0, len(letters), 72))
