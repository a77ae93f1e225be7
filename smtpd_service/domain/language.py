"""In which language is a notice written? The original's own choice, else the mailbox's, else the configured one."""

from collections.abc import Iterator

from smtpd_service.domain.headers import fields, unfolded

LANGUAGES = ("en", "es")
# A list of languages is short; what is longer is no such list.
LONGEST_LIST = 200


def language_of(header: bytes, own: str | None, configured: str) -> str:
    """Return one of `LANGUAGES`: the first that Content-Language of `header` names, else `own`, else `configured`.

    Source: RFC 3282 (a list of tags); of a tag only the language counts, not the country (RFC 5646).
    """
    return next((tag for tag in (*_named(header), own, configured) if tag in LANGUAGES), LANGUAGES[0])


def _named(header: bytes) -> Iterator[str]:
    for name, value in fields(header):
        if name == b"content-language":
            for tag in unfolded(value[:LONGEST_LIST]).split(","):
                yield tag.strip().lower().partition("-")[0]
