# ruff: noqa: RUF001  a colon is wide beside Chinese, a dash of any length
"""How automatic answers without a header that says so are known: their subject, and the words of absence. Data.

The subjects are what Exchange writes in each language of a mailbox, and other responders in English.
"""

import re

# What a gateway puts before a subject, `[EXTERNAL]`, and the marks of direction before Hebrew and Arabic.
_TAGS = r"[\s\u200e\u200f]*+(?:\[[^\[\]]{1,40}\]\s*+){0,3}"
_COLON = r"\s*+[:：]"
# A person's answer to such a mail begins with `Re:`.
_ANSWERED = (
    *(
        "automatic (?:reply|response)",
        "auto[ -]?(?:reply|response)",
        "out of (?:the )?office auto[ -]?(?:reply|response)",
    ),
    *("automatische antwort", "automatisch antwoord", "réponse automatique", "automaattinen vastaus"),
    *("(?:respuesta|resposta) automática", "resposta automàtica", "risposta automatica", "erantzun automatikoa"),
    *("autosvar", "automatiskt? svar", "sjálfvirkt svar", "automatinis atsakymas", "automātiskā atbilde"),
    *(
        "automaatvastus",
        "automatyczna odpowiedź",
        "odpowiedź automatyczna",
        "automatická odpověď",
        "automatická odpoveď",
    ),
    *("automatikus válasz", "răspuns automat", "automatski odgovor", "samodejni odgovor", "otomatik yanıt"),
    *("автоматический ответ", "автоматична відповідь", "автоматичен отговор", "аутоматски одговор"),
    *("αυτόματη απάντηση", "מענה אוטומטי", "תשובה אוטומטית", "رد تلقائي", "trả lời tự động", "ตอบกลับอัตโนมัติ"),
    *("स्वचालित उत्तर", "balasan otomatis", "balasan automatik", "自動応答", "自動返信"),
    *("自动(?:回复|答复|回覆)", "自動(?:回覆|回復|答覆)", "자동 ?(?:회신|응답)"),
)
ANSWERED = re.compile(rf"{_TAGS}(?:{'|'.join(_ANSWERED)}){_COLON}", re.IGNORECASE)

# What people write over a mail of their own, too; how that begins says whether they are away.
_AWAY = (
    *("out of (?:the )?office", "ooo", "oof", "away(?: from (?:the |my )?(?:office|desk|e-?mail))?"),
    *("on (?:leave|vacation)", "abwesenheits(?:notiz|mitteilung|nachricht)", "abwesend", "nicht im büro"),
    *("absence du bureau", "absente?(?: du bureau)?", "fuera de (?:la )?oficina", "ausente", "fora do escritório"),
    *("fuori (?:sede|ufficio)", "assente", "afwezig(?:heid)?", "frånvarande", "fraværende", "ikke på kontoret"),
    *("poza biurem", "вне офиса", "不在(?:通知)?", "休暇", "外出", "休假"),
)
_ENDS = rf"(?:{_COLON}|\s*+[-–—]\s|\s*+\Z|\s++(?:re|fwd?|aw|sv|vs|tr|rv|r|antw)\s*+:)"
ABSENT = re.compile(rf"{_TAGS}(?:{'|'.join(_AWAY)}){_ENDS}", re.IGNORECASE)

# Who says that he is away; so many words at most stand between.
_SOME = r"(?:\S{1,30} ){0,8}"
_LEAVE = r"on (?:\w{1,12} )?(?:leave|vacation|holiday|travel)"
_SAID = (
    rf"\b(?:i am|i['’]m|i will be|i['’]ll be) (?:\w{{1,20}} ){{0,3}}(?:out|away|absent|unavailable|{_LEAVE})\b",
    r"\bout of (?:the )?office (?:until|from|through|with)\b|\bthis is an auto",
    r"\b(?:automat(?:ic|ed)|auto)[ -]?(?:reply|response)\b",
    rf"\b(?:ich bin|bin ich) {_SOME}(?:abwesend|urlaub|nicht im|nicht am|außer)",
    rf"\bje (?:suis|serai) {_SOME}(?:absente?|en congé|en vacances|hors)\b",
    rf"\b(?:estoy|estaré|estou|estarei) {_SOME}(?:fuera|fora|ausente|de vacaciones|de férias)\b",
    rf"\b(?:sono|sarò) {_SOME}(?:fuori|assente|in ferie)\b",
    rf"\bik ben {_SOME}(?:afwezig|niet aanwezig|niet op|met vakantie|op vakantie)",
    rf"\bjag är {_SOME}(?:frånvarande|borta|inte på|på semester)",
    rf"\bjeg er {_SOME}(?:fraværende|ikke på|på ferie)",
    rf"\b(?:jestem|будет|буду|нахожусь|olen) {_SOME}(?:nieobecn|poza|urlop|отсутств|вне|в отпуске|poissa|lomalla)",
    "不在|休暇|休假|外出|离开|부재",
)
SAID = re.compile("|".join(_SAID), re.IGNORECASE)
