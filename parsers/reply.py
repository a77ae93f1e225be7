# ruff: noqa: RUF001  other alphabets have look-alikes of Latin letters
"""The author's own lines: what was quoted below, above or between them is taken away.

Linear: each line is looked at once, with at most three lines after it, and lines of over 400
characters are no attribution. A list line is never a boundary: `- From: intake team` is content.
"""

import re

from parsers import markers
from parsers.model import LINES, Cut, Line, Reply

ATTRIBUTION_CHARACTERS = 400
BLOCK_LINES = 5

# How the line above a quote ends or what verb it has, by language, as mail programs write it.
# en, fr, es, de, it, pt, nl, sv/da/nb, fi, pl, cs/sk, ru, uk, tr, ro, hu, el, zh, ja, ko, vi
VERBS = (
    "wrote", "writes", "a écrit", "écrit", "escribió", "schrieb", "ha scritto", "escreveu", "schreef",
    "geschreven", "skrev", "kirjoitti", "napisał", "pisze", "napsal", "napísal", "пишет", "написал", "писал",
    "пише", "yazdı", "şunu yazdı", "a scris", "írta", "έγραψε", "写道", "寫道", "のメール", "書きました", "작성",
    "đã viết",
)  # fmt: skip
OPENERS = (
    "on ", "le ", "el ", "am ", "il ", "em ", "op ", "den ", "vào ", "dnia ", "dne ", "w dniu ", "la ", "στις ",
    "a(z) ", "mon", "tue", "wed", "thu", "fri", "sat", "sun",
)  # fmt: skip
SENDERS = (
    "from", "de", "von", "da", "van", "från", "fra", "od", "lähettäjä", "от", "від", "gönderen", "kimden", "feladó",
    "από", "发件人", "寄件者", "差出人", "보낸 사람", "expéditeur", "remitente", "mittente",
)  # fmt: skip
FIELDS = (
    "sent", "date", "to", "cc", "subject", "reply-to", "envoyé", "à", "objet", "enviado", "enviado el", "para",
    "asunto", "fecha", "gesendet", "datum", "an", "betreff", "inviato", "data", "a", "oggetto", "assunto",
    "verzonden", "aan", "onderwerp", "skickat", "till", "ämne", "sendt", "til", "emne", "lähetetty", "vastaanottaja",
    "aihe", "wysłano", "do", "temat", "odesláno", "komu", "předmět", "отправлено", "дата", "кому", "тема",
    "надіслано", "gönderildi", "tarih", "kime", "konu", "发送时间", "收件人", "主题", "日期", "送信日時", "宛先",
    "件名", "보낸 날짜", "받는 사람", "제목",
)  # fmt: skip
_ORIGINAL = (
    "original|oprindelig|ursprungligt|ursprüngliche"
    "|message d'origine|mensaje original|mensagem orig|messaggio orig|oorspronkelijk"
    "|исходное|元のメッセージ|原始邮件"
)
_FORWARDED = "forwarded|weitergeleitete|message transféré|mensaje reenviado|转发"
_BEGIN = "begin forwarded message|anfang der weitergeleiteten|début du message"
# Each is matched against a line without its leading white space; possessive, so linear.
_RULES = (
    ("original-message", re.compile(rf"[-_=*>]{{2}}[-_=*> ]*+(?:{_ORIGINAL})", re.IGNORECASE)),
    ("forwarded", re.compile(rf"[-_=*>]{{2}}[-_=*> ]*+(?:{_FORWARDED})|(?:{_BEGIN})[^:]{{0,40}}:$", re.IGNORECASE)),
)
_HEADER = re.compile(r"[*_]{0,2}([^\W\d_][^:*：]{0,24})[*_]{0,2} ?[:：]")
_HEADER_CHARACTERS = 40
_DIVIDER = re.compile(r"[-_=*]{5,}")
_VERB = re.compile("|".join(sorted(VERBS, key=len, reverse=True)))
_TIME = re.compile(r"(?<!\d)\d{1,2}[:.]\d\d(?!\d)")
_DATED = re.compile(r"\d|@")


def own(lines: tuple[Line, ...]) -> Reply:
    """Return the lines that the author wrote, without quotes, attributions and quoted headers."""
    kept: list[Line] = []
    trace: list[Cut] = [Cut("lines-limit")] if len(lines) >= LINES else []
    index = 0
    while index < len(lines):
        rule, length = _boundary(lines, index)
        if rule is None:
            kept.append(lines[index])
            index += 1
            continue
        trace.append(Cut(rule, lines[index].part, lines[index].start, lines[index + length - 1].end))
        index += length
        if rule != "quote" and not _quote_follows(lines, index):
            break
    return Reply(tuple(_without_dividers(kept)), tuple(dict.fromkeys(trace)))


def _boundary(lines: tuple[Line, ...], index: int) -> tuple[str | None, int]:
    """Return the rule that cuts at `index` and how many lines it takes; rule None for own text."""
    line = lines[index]
    text = line.text
    if line.item is not None or not text or text.isspace():
        return None, 0
    stripped = text.strip()
    if stripped.startswith(">"):
        return "quote", 1
    for name, pattern in _RULES:
        if pattern.match(stripped):
            return name, 1
    if markers.is_list_line(text):
        return None, 0
    if length := _attribution(lines, index):
        return "attribution", length
    return ("header-block", 1) if _header_block(lines, index) else (None, 0)


def is_attribution(text: str) -> bool:
    """Return whether `text` is the line that a mail program puts above a quote.

    It ends in a colon (Zoho: in the verb) and names a date or an address; with both an address and
    a time it needs no verb that we know (Yandex, Mail.ru, older Gmail).
    """
    text = text.strip(" \t-")
    if len(text) > ATTRIBUTION_CHARACTERS or not _DATED.search(text):
        return False
    stamped = "@" in text and _TIME.search(text) is not None
    lowered = text.casefold()
    if not text.endswith((":", "：")):
        return stamped and lowered.endswith(" wrote")
    if stamped:
        return True
    return bool(_VERB.search(lowered)) and (lowered.startswith(OPENERS) or "@" in text or lowered[0].isdigit())


def _attribution(lines: tuple[Line, ...], index: int) -> int:
    """Return over how many lines the attribution at `index` goes, 0 if there is none.

    Gmail wraps it at 78 columns, before or inside the address.
    """
    joined = lines[index].text.strip()
    if is_attribution(joined):
        return 1
    if not joined[:8].casefold().startswith(OPENERS) and "@" not in joined and not _TIME.search(joined):
        return 0
    for length in (2, 3):
        if index + length > len(lines) or len(joined) > ATTRIBUTION_CHARACTERS:
            return 0
        following = lines[index + length - 1]
        below = following.text.strip()
        if following.item is not None or not below or markers.is_list_line(following.text):
            return 0
        joined = f"{joined} {below}"
        if is_attribution(joined):
            return length
    return 0


def _header_block(lines: tuple[Line, ...], index: int) -> bool:
    """Return whether header lines stand at `index`, two at least, one of them the sender's."""
    names: list[str] = []
    for line in lines[index : index + BLOCK_LINES]:
        name = "" if line.item is not None or markers.is_list_line(line.text) else _header(line.text)
        if name not in SENDERS and name not in FIELDS:
            break
        names.append(name)
    return len(names) > 1 and any(name in SENDERS for name in names)


def _header(text: str) -> str:
    match = _HEADER.match(text.strip()[:_HEADER_CHARACTERS])
    return match[1].strip().casefold() if match else ""


def _quote_follows(lines: tuple[Line, ...], index: int) -> bool:
    """Return whether the next line that says anything is quoted: then text below it is the author's."""
    for place in range(index, len(lines)):
        if said := lines[place].text.lstrip():
            return said.startswith(">")
    return False


def _without_dividers(kept: list[Line]) -> list[Line]:
    """Drop blank lines and rules of underscores at the end, which stood above the quote."""
    end = len(kept)
    while end and (not kept[end - 1].text.strip() or _DIVIDER.fullmatch(kept[end - 1].text.strip())):
        end -= 1
    return kept[:end]
