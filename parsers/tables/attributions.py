# ruff: noqa: RUF001, RUF003  rows are long alternatives over some lines, in all alphabets
"""The line above a quote, by language: the verb, the words that it opens with, and forms without a verb.

Data only; `parsers.borders.attribution` decides. Lines are compared in lower case, without the colon at their end.
"""

from typing import NamedTuple


class Verb(NamedTuple):
    """How a language says `wrote`: `pattern` is a regular expression, `stems` what must be there for it to match.

    `last` tells that the verb ends the line (`Ann wrote:`); else the name may follow it (`schrieb Ann:`).
    """

    language: str
    stems: str
    pattern: str
    last: bool = True


VERBS = (
    # English: Gmail, Apple Mail, Thunderbird, mutt, pine, gnus (`writes`), Exim users (`said`)
    Verb("en", "wr|said|typed|scribbled", r"\b(?:wrote|writes|said|has written|scribbled|typed)"),
    # German: Thunderbird (`schrieb`), Apple Mail, K-9 (`Am … schrieb Ann:`), web.de, GMX
    Verb("de", "schr", r"\b(?:schrieb(?:en)?|schreibt)\b", last=False),
    Verb("de", "geschrieben", r"\bgeschrieben"),
    # French: Gmail, Apple Mail, Thunderbird, Free, Orange
    Verb("fr", "cri", r"\b(?:a |ont )?[ée]cri(?:t|vait|ve|viez|vit)"),
    # Spanish: Gmail, Apple Mail, Thunderbird
    Verb("es", "escrib|escrito", r"\b(?:escribi[óo]|escribe|ha escrito)\b", last=False),
    # Portuguese: Gmail, Apple Mail
    Verb("pt", "escreveu", r"\bescreveu\b", last=False),
    # Italian: Gmail, Apple Mail, Thunderbird
    Verb("it", "scri", r"\b(?:ha scritto|scrive|scriveva)"),
    # Dutch: Gmail (`schreef`), Apple Mail (`het volgende geschreven`)
    Verb("nl", "schreef", r"\bschreef\b", last=False),
    Verb("nl", "geschreven", r"\bgeschreven"),
    # Swedish, Danish, Norwegian: Gmail, Apple Mail, Thunderbird
    Verb("sv", "skrev", r"\bskrev(?: följande)?\b", last=False),
    Verb("fi", "kirjoit", r"\b(?:kirjoitti|kirjoittaa)\b", last=False),
    # Icelandic, Estonian, Latvian, Lithuanian: Gmail
    Verb("is", "skrifa", r"\bskrifaði\b", last=False),
    Verb("et", "kirjutas", r"\bkirjutas"),
    Verb("lv", "rakst", r"\brakstīja"),
    Verb("lt", "raš", r"\brašė"),
    # Polish: Gmail, Onet, WP, Thunderbird (`pisze`)
    Verb("pl", "napisał|pisze|pisał", r"\b(?:napisał(?:\(a\)|a)?|pisze|pisał(?:\(a\)|a)?)"),
    # Czech, Slovak: Gmail, Seznam
    Verb("cs", "napsal", r"\bnapsal(?:\(a\)|a)?"),
    Verb("sk", "napísal", r"\bnapísal(?:\(a\)|a)?"),
    # Slovene, Croatian, Serbian, Bulgarian
    Verb("sl", "napisal|pravi", r"\bnapisal(?:\(a\)|a)?|\bpravi"),
    Verb("hr", "napisao|napisala", r"\b(?:napisao|napisala)(?: je)?(?: u poruci)?(?:/la)?"),
    Verb("sr", "написа", r"\b(?:је )?написа(?:о|ла)(?: је)?(?:/ла)?"),
    Verb("bg", "написа", r"\bнаписа"),
    # Russian, Ukrainian: Gmail, Mail.ru, Thunderbird, The Bat! (`Вы писали`)
    Verb("ru", "пиш|писал", r"\b(?:пишет|написал(?:\(а\)|а)?|писал(?:\(а\)|а|и)?)"),
    Verb("uk", "пише|писа", r"\b(?:пише|написа(?:в|ла)(?:\(ла\))?|писа(?:в|ла))"),
    # Turkish: Gmail, Apple Mail (`şunları yazdı`)
    Verb("tr", "yazd", r"\b(?:şun(?:u|ları) )?yazdı"),
    # Romanian, Hungarian, Greek
    Verb("ro", "scris", r"\ba scris"),
    Verb("hu", "írta", r"\bírta\b(?: \(időpont.{0,60})?"),
    Verb("el", "έγραψε", r"\bέγραψε"),
    # Catalan, Galician, Basque
    Verb("ca", "escri", r"\b(?:va escriure|ha escrit)"),
    Verb("gl", "escribiu", r"\bescribiu\b", last=False),
    Verb("eu", "idatzi", r"\bidatzi du"),
    # Japanese: Apple Mail (`のメール`), Gmail, Becky!
    Verb("ja", "の|書き", r"(?:のメール|が?書きました|のメッセージ|さんは書きました)", last=False),
    # Chinese: Gmail, Apple Mail, Foxmail
    Verb("zh", "写|寫", r"(?:写道|寫道|写到)"),
    # Korean: Gmail, Apple Mail
    Verb("ko", "작성|썼|쓴", r"(?:작성|썼습니다|쓴 글)"),
    # Vietnamese, Indonesian, Thai
    Verb("vi", "viết", r"\bđã viết"),
    Verb("id", "menulis", r"\b(?:menulis|menulis:)"),
    Verb("th", "เขียน", "เขียนว่า"),
    # Hebrew, Arabic, Persian
    Verb("he", "כתב|מאת", "(?:כתב/ה|כתבה?|מאת)", last=False),
    Verb("ar", "كتب|جاءنا", "(?:كتبت?|جاءنا من)", last=False),
    Verb("fa", "نوشت", "نوشت"),
)

# How a dated attribution begins, `|` between the words. Languages share some: each stands where it was met first.
_OPENERS = (
    ("en", "on |in a message |in article |in message |in mail |in <|--- in |mon|tue|wed|thu|fri|sat|sun"),
    ("fr", "le |lun|jeu|ven|sam|dim"),
    ("de", "am "),
    ("es", "el |la |mar|mié"),
    ("it", "il "),
    ("pt", "em |no dia "),
    ("nl", "op "),
    ("sv", "den |på |fredag|torsdag"),
    ("da", "man|tir|ons|tor|fre|lør|søn"),
    ("fi", "ma |ti |ke |to |pe |su "),
    ("pl", "w dniu |dnia |pon|wt|śr|czw|pt|sob|niedz"),
    ("cs", "dne |v "),
    ("sk", "dňa "),
    ("hr", "u "),
    ("ro", "în "),
    ("el", "στις |στην "),
    ("hu", "a(z) "),
    ("vi", "vào |trên "),
    ("id", "pada "),
    ("tr", "tarihinde "),
    ("bg", "на "),
    ("sr", "дана "),
    ("ru", "в |пн|вт|ср|чт|пт|сб|вс"),
    ("uk", "нд"),
    ("he", "בתאריך|ב-"),
    ("ar", "في "),
    ("fa", "در "),
    ("zh", "於 |在 "),
)
OPENERS = tuple(word for _, words in _OPENERS for word in words.split("|"))

# A name with a stamp and no verb: the client, and a regular expression for all of the line.
STAMPED_NAMES = (
    # `* Ann Lee <ann@agency.test> [2004-03-01 12:00]:`
    ("mutt", r"(?:[*+]{1,3} )?\S[^<>\[\]]{0,80}(?:<[^<> ]+@[^<> ]+>)? ?\[[^\]]{0,10}\d[^\]]{5,30}\]:"),
    # `2010/3/4 Ann <ann@agency.test>`
    ("gmail", r"\d{4}[/-]\d\d?[/-]\d\d?,? [^<>:]{2,80}<[^<> ]+@[^<> ]+>:?"),
)
# Attributions that stand behind marks of a quote: the client, and a regular expression for all of the line.
FRAMED = (
    # `>>> Ann Lee 03/04/05 9:00 AM >>>`, with or without an address
    ("groupwise", r">>> .{3,120}\d.{0,20} ?>>>"),
    # `>>>>> "AL" == Ann writes:`
    ("supercite", r">{4,5} .{2,100}(?:writes|wrote):"),
)
# GroupWise's later versions, wrapped where the line was full:
# `>>> Ann Lee <ann@agency.test> schrieb am … in Nachricht <id>:`.
GROUPWISE_HEAD = r">>> [^>\n]{0,100}[@\d]"
# Outlook Express in newsgroups names the message, and ends in an ellipsis.
NEWS = (("en", "message|news"), ("de", "newsbeitrag|nachricht"), ("nl", "berichtnieuws"))

# Before a name, and then a colon: said without a verb. Believed where a quote or an address follows.
PREFIXES = (
    ("en", "according to "),  # pine
    ("en", "quoting "),  # Horde IMP, SquirrelMail
    ("en", "thus spake "),  # mutt
    ("en", "also sprach "),
    ("en", "in reply to "),
    ("en", "replying to "),
    ("en", "quoth "),
    ("de", "zitat von "),  # Horde IMP
    ("de", "von "),
    ("fr", "citation de "),
    ("fr", "selon "),
    ("es", "citando a "),
    ("es", "mensaje citado por "),
    ("it", "citando "),
    ("pt", "citando "),
    ("nl", "citeren "),
    ("sv", "citerar "),
    ("pl", "cytowanie "),
    ("cs", "cituji "),
    ("ru", "цитирую "),
)

# Words that make a writer of somebody without a name: `On Monday we wrote:` is the author's own prose.
_NOBODY = (
    "i we they he she it who the our my this that all everyone somebody a an ich wir er sie es man der die das je "
    "nous il elle ils on yo nosotros ella ellos io noi lui lei ik wij hij zij jag vi han hon de jeg eu nós ele "
    "ela ja ona my я мы он она они"
)
NOBODY = frozenset(_NOBODY.split())
# Of these the ones by which The Bat! calls the writer whom it answers: believed beside a date and a time.
YOU = frozenset({"sie", "lei"})
