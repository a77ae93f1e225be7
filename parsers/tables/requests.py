# ruff: noqa: ISC004  rows are long alternatives over some lines, in all alphabets
"""How a request for an answer in items reads: what asks, what instructs, what is to be filled in. Data only.

`parsers.template` searches these in lower case: a quoted request that nobody told us of is known by them.
"""

# One of these in the quote, or a line to fill in, and it is a request: language, regular expression.
ASKS = (
    (
        "en",
        r"(?:reply|respond|answer|send|submit|provide|list|share|e-?mail|write|give|"
        r"tell)\b.{0,120}\b(?:bullets?|bullet points|accomplish\w*|items|highlights|last week|this week|"
        r"weekly report|tasks)\b",
    ),
    (
        "en",
        r"what (?:did you|have you|you|were you)\b.{0,40}\b(?:do|done|did|accomplish\w*|achieve\w*|work\w*|"
        r"deliver\w*)\b",
    ),
    (
        "en",
        r"(?:fill in|complete) (?:the|this|your|these)\b.{0,60}\b(?:items|lines|list|template|form|bullets?|"
        r"below)\b",
    ),
    (
        "de",
        r"(?:antworten|nennen|schicken|senden|schreiben|listen|teilen|"
        r"beantworten)\b.{0,120}\b(?:stichpunkt\w*|stichwort\w*|punkte[n]?|letzte[nr]? woche|aufgaben)\b|"
        r"was haben sie\b.{0,60}\b(?:erledigt|geschafft|erreicht)",
    ),
    (
        "fr",
        r"(?:répond\w*|envoy\w*|indiqu\w*|list\w*|merci de)\b.{0,120}\b(?:points|puces|réalisations|"
        r"semaine (?:dernière|passée)|tâches)\b|qu'avez-vous\b.{0,60}\b(?:fait|accompli|réalisé)",
    ),
    (
        "es",
        r"(?:respond\w*|env[ií]\w*|indi\w*|list\w*)\b.{0,120}\b(?:puntos|viñetas|logros|semana pasada|"
        r"tareas)\b|qué (?:hizo|hiciste|logró)\b",
    ),
    (
        "pt",
        r"(?:respond\w*|envi\w*|list\w*|indi\w*)\b.{0,120}\b(?:pontos|tópicos|realizações|semana passada|"
        r"tarefas)\b|o que (?:fez|você fez)\b",
    ),
    (
        "it",
        r"(?:rispond\w*|invi\w*|elenc\w*|indic\w*)\b.{0,120}\b(?:punti|attività|settimana scorsa|risultati)\b|"
        r"che cosa (?:ha|hai) fatto",
    ),
    (
        "nl",
        r"(?:beantwoord\w*|antwoord\w*|stuur\w*|noem\w*|geef)\b.{0,120}\b(?:punten|bullets|afgelopen week|"
        r"vorige week|taken)\b|wat heb(?:t)? (?:u|je)\b.{0,60}\bgedaan",
    ),
)  # fmt: skip

# An item like these tells what to do; it is not what somebody did.
INSTRUCTIONS = (
    r"\b(?:you|your|yours|please|must|should|shall|do not|don't|deadline|kindly|bitte|ihre?n?|sie sollen|"
    r"veuillez|merci de|votre|vos|por favor|su respuesta|seu|sua|per favore|graag|uw)\b"
    r"|\?\s*$"
    r"|^(?:reply|respond|send|include|list|keep|limit|avoid|use|copy|cc|describe|provide|submit|mark|add|"
    r"state|do|write"
    r"|complete|answer|name|note|return|attach|focus|refrain|ensure|make sure|be|give|tell|fill|insert|"
    r"enter|read|click"
    r"|no|only|approximately|approx|about|at least|up to|maximum|max)\b"
)

# An item of nothing but these, or in brackets, or of dots and underscores, waits for an answer.
_PLACEHOLDERS = (
    (
        "en",
        "your insert enter add the a bullet item accomplishment task point answer response activity entry"
        " achievement here text one two three four five first second third fourth fifth todo tbd xxx",
    ),
    ("de", "punkt stichpunkt antwort hier ihr ihre"),
    ("fr", "point réponse ici votre"),
    ("es", "punto respuesta aquí su"),
    ("pt", "ponto resposta aqui"),
    ("it", "risposta qui"),
    ("nl", "antwoord punt uw"),
)
PLACEHOLDERS = frozenset(word for _, words in _PLACEHOLDERS for word in words.split())

# Above a list that shows how to answer.
EXAMPLES = (
    r"\b(?:examples?|e\.g\.|for instance|such as|sample|like this"
    r"|beispiele?|z\.b\.|exemples?|p\.ex\.|ejemplos?|exemplos?|esempi[o]?|voorbeeld(?:en)?)\b"
)

# Beside the quote, a line that only points into it: `See my answers below.`
POINTERS = (
    r"\b(?:below|inline|in[- ]line|in red|in blue|in bold|in caps|underneath|within"
    r"|attached|above|filled|answers?|responses?|unten|im text|ci-dessous|abajo|abaixo|sotto|hieronder)\b"
)
