# ruff: noqa: ISC004, RUF001  rows are long alternatives over some lines, in all alphabets
"""What organisations, mailing lists and scanners write below a mail: legal notices, labels, footers. Data only.

Each row is the language or the program, and a regular expression that `parsers.signature` searches at the
beginning of a line in lower case.
"""

# A paragraph that begins so, or names its purpose so early, is no answer.
DISCLAIMERS = (
    (
        "en",
        r"[*_ ]*(?:confidentiality (?:notice|note|statement)|confidential(?:ity)?[:.]|legal (?:notice|"
        r"disclaimer)|disclaimer\b|privileged|privacy (?:notice|act)|notice of confidentiality|"
        r"important notice|notice:|warning:|caution:|electronic communications? )",
    ),
    (
        "en",
        r"(?:this|the (?:information|contents?)|any information).{0,60}\b(?:e-?mail|message|communication|"
        r"transmission|mail)\b.{0,160}\b(?:confidential|privileged|intended|recipient|addressee|proprietary|"
        r"monitored)",
    ),
    (
        "en",
        r"(?:if you (?:are not|have received this|received this|are neither)).{0,80}(?:recipient|error|"
        r"addressee|mistake)",
    ),
    (
        "en",
        r"(?:please )?consider the environment before|think before you print|\S{0,3} ?please (?:do not|"
        r"don't) print this|save (?:a tree|paper)\b",
    ),
    ("de", r"[*_ ]*(?:vertraulichkeitshinweis|haftungsausschluss|rechtlicher hinweis|wichtiger hinweis[:.])"),
    ("de", r"dies(?:e|er|es) (?:e-?mail|nachricht|mail).{0,120}(?:vertraulich|rechtlich geschützt|bestimmt)"),
    ("de", r"der inhalt dieser e-?mail"),
    ("fr", r"[*_ ]*(?:avis de confidentialité|clause de confidentialité|avertissement\b)"),
    (
        "fr",
        r"(?:ce (?:message|courriel|mail|courrier)|le contenu de ce).{0,120}(?:confidentiel|destinataire|"
        r"destiné)",
    ),
    ("fr", r"(?:pensez à l'environnement|n'imprimez)"),
    ("es", r"[*_ ]*(?:aviso (?:legal|de confidencialidad)|cláusula de confidencialidad)"),
    ("es", r"(?:este (?:mensaje|correo)|la información contenida).{0,140}(?:confidencial|destinatario|dirigid)"),
    (
        "pt",
        r"[*_ ]*(?:aviso (?:legal|de confidencialidade))|(?:esta mensagem|este e-?mail).{0,140}(?:confidencia|"
        r"destinatário)",
    ),
    (
        "it",
        r"[*_ ]*(?:avviso di riservatezza|nota di riservatezza|informativa)|(?:questo messaggio|"
        r"questa e-?mail|le informazioni contenute).{0,140}(?:riservat|confidenzial|destinatari)",
    ),
    (
        "nl",
        r"[*_ ]*(?:disclaimer|vertrouwelijkheid)|(?:dit (?:bericht|e-?mailbericht)|deze e-?mail|"
        r"de informatie).{0,140}(?:vertrouwelijk|geadresseerde|bestemd)",
    ),
    ("sv", r"(?:detta (?:meddelande|e-?post)).{0,140}(?:konfidentiell|avsett|mottagare)"),
    ("da", r"(?:denne (?:e-?mail|meddelelse|besked)).{0,140}(?:fortrolig|modtager|bestemt)"),
    ("nb", r"(?:denne (?:e-?posten?|meldingen?)).{0,140}(?:konfidensiell|mottaker|fortrolig)"),
    ("fi", r"(?:tämä (?:viesti|sähköposti)).{0,140}(?:luottamuksel|vastaanottaja|tarkoitettu)"),
    ("pl", r"(?:ta wiadomość|niniejsza wiadomość|treść tej wiadomości|informacje zawarte).{0,140}(?:poufn|adresat)"),
    ("cs", r"(?:tato zpráva|tento e-?mail).{0,140}(?:důvěrn|adresát|určen)"),
    (
        "ru",
        r"(?:это (?:сообщение|письмо)|настоящее (?:сообщение|письмо)|данное (?:сообщение|"
        r"письмо)).{0,160}(?:конфиденциал|адресат|предназнач)",
    ),
    ("tr", r"(?:bu (?:e-?posta|mesaj|ileti)).{0,140}(?:gizli|alıcı)"),
    ("zh", r".{0,10}(?:保密声明|免责声明|免責聲明|保密提示)"
        r"|(?:本|此)(?:邮件|郵件|电子邮件).{0,80}(?:保密|机密|收件人)"),
    ("ja", r"(?:本|この)(?:メール|電子メール).{0,80}(?:機密|秘密|宛先)"),
    ("ko", r"(?:이|본) (?:메일|이메일|전자우편).{0,80}(?:기밀|수신인|비밀)"),
)  # fmt: skip

# What only a notice says of its mail: for whom it is, and that others have it by mistake.
RECIPIENTS = (
    (
        "en",
        r"intended (?:recipient|addressee|solely|only|for)|(?:the|named) addressees?|in error|by mistake"
        r"|unauthori[sz]ed|notify (?:the|us)|(?:confidential|privileged).{0,80}\b(?:mail|message|communication)"
        r"|(?:mail|message|communication)\b.{0,80}\b(?:confidential|privileged)",
    ),
    ("de", r"empfänger|adressat|irrtümlich|unbefugt|vertraulich"),
    ("fr", r"destinataire|par erreur|confidentiel"),
    ("es", r"destinatario|por error|confidencial"),
    ("pt", r"destinatário|por engano|confidencia"),
    ("it", r"destinatari|per errore|riservat|confidenzial"),
    ("nl", r"geadresseerde|ten onrechte|vertrouwelijk"),
    ("sv", r"mottagare|av misstag|konfidentiell"),
    ("da", r"modtager|ved en fejl|fortrolig"),
    ("nb", r"mottaker|ved en feil|konfidensiell"),
    ("fi", r"vastaanottaj|luottamuksel"),
    ("pl", r"adresat|poufn"),
    ("cs", r"adresát|důvěrn"),
    ("ru", r"адресат|предназнач|конфиденциал"),
    ("tr", r"alıcı|gizli"),
    ("zh", r"收件人|保密|机密"),
    ("ja", r"宛先|機密|秘密"),
    ("ko", r"수신인|기밀|비밀"),
)

# Mailing lists, archives, providers and forges below each mail; over one line.
FOOTERS = (
    ("mailman", r".{1,60} mailing list(?: .{0,60})?|.{0,60}mailing list\s*-?\s*\S+@\S+"),
    ("mailman", r"https?://\S+/(?:mailman\d?/)?listinfo/\S+|https?://\S+/mailman3?/\S+"),
    (
        "majordomo, ezmlm, sympa",
        r"(?:to|you can|for) unsubscribe\b.{0,140}|unsubscribe (?:here|at|:|from).{0,120}|"
        r"to (?:un)?subscribe(?:, | or |/).{0,140}",
    ),
    ("ezmlm", r"for additional commands,? e-?mail:? .{0,80}"),
    (
        "debian",
        r"to unsubscribe, (?:e-?mail|send).{0,140}|with a subject of \"unsubscribe\".{0,80}|"
        r"trouble\? (?:email|contact) .{0,80}|archive: https?://\S+",
    ),
    (
        "vger",
        r"to unsubscribe from this list: send the line .{0,60}|more majordomo info at +http\S+|"
        r"please read the faq at +http\S+|the body of a message to majordomo.{0,60}",
    ),
    (
        "google groups",
        r"you received this message because you are subscribed to .{0,120}|-~-{2,}~.{0,80}|"
        r"to view this discussion (?:on|visit).{0,140}|for more options, visit .{0,100}|"
        r"to post to this group.{0,80}",
    ),
    (
        "github, gitlab",
        r"(?:—\s*)?(?:you are receiving this because .{0,80}|reply to this email directly.{0,120}|"
        r"view it on (?:github|gitlab).{0,120})",
    ),
    (
        "yahoo groups",
        r"yahoo! groups (?:links|sponsor).{0,60}|\[non-text portions of this message have been removed\]|"
        r"-{6,}~-->.{0,60}|your use of yahoo! groups is subject to.{0,80}|community email addresses:.{0,20}|"
        r"(?:post message|(?:un)?subscribe|list owner): +\S+@\S+|.{2,40} addresses:",
    ),
    ("sourceforge", r"this (?:sf\.net|sourceforge\.net) email is sponsored by.{0,80}"),
    (
        "free mail",
        r"(?:do you yahoo!\?|get your free .{0,40}e-?mail|msn photos is|hotmail|yahoo! mail|windows live|"
        r"join msn|chat with friends online|send and receive hotmail|ymail|never miss a thing|"
        r"be a better friend|looking for last minute|get free email|free email from).{0,140}",
    ),
    (
        "scanner",
        r"[*_ ]*(?:virus-free|virenfrei|sin virus|no virus found|this e?-?mail has been (?:checked|scanned)|"
        r"this message (?:has been|was) scanned|checked by avg|outgoing mail is certified|garanti sans virus|"
        r"l'absence de virus|diese e-?mail wurde (?:von|auf) .{0,30}(?:vir|avast)|mail scanned by|"
        r"scanned by mailscanner|this message has been scanned|believed to be clean|avast|"
        r"этo сообщение проверено|проверено на вирусы).{0,140}",
    ),
)  # fmt: skip

# Sensitivity labels (Microsoft Purview `msipheader`/`msipfooter`, Titus, Boldon James): whole lines.
LABELS = (
    (
        "en",
        r"[\[(*]*(?:classification|sensitivity|data classification|information classification|"
        r"protective marking|distribution|handling)[*\])]* ?: ?[\w /&.,()-]{2,60}[\])*]*",
    ),
    (
        "en",
        r"(?:internal|general|public|confidential|restricted|company|business|official|"
        r"non-business)(?: (?:use|use only|only|information|internal|confidential|data|distribution))*",
    ),
    (
        "de",
        r"(?:klassifizierung|vertraulichkeit|schutzklasse|einstufung) ?: ?[\w /-]{2,40}|(?:intern|öffentlich|"
        r"vertraulich)",
    ),
    (
        "fr",
        r"(?:classification|sensibilité|confidentialité) ?: ?[\w /-]{2,40}|interne|usage interne|"
        r"diffusion restreinte",
    ),
    ("es", r"clasificación ?: ?[\w /-]{2,40}|uso interno"),
    ("nl", r"classificatie ?: ?[\w /-]{2,40}"),
)  # fmt: skip

# What a gateway writes above mail that comes from outside: the first line of a body.
EXTERNAL = (
    (
        "en",
        r"[\[*_ ]*(?:caution|warning|attention|external|notice|be careful|alert)\b.{0,60}\b(?:external|"
        r"outside|originated|unknown sender)\b",
    ),
    (
        "en",
        r"[\[*_ ]*(?:this (?:e-?mail|message) (?:originated|came|was sent|is) (?:from )?(?:an )?(?:outside|"
        r"external)|external (?:e-?mail|sender|message)\b|you don't often get e-?mail from)",
    ),
    ("de", r"[\[*_ ]*(?:achtung|vorsicht|warnung|externe)\b.{0,60}\b(?:extern\w*|außerhalb|absender)\b"),
    ("fr", r"[\[*_ ]*(?:attention|avertissement|courriel externe)\b.{0,60}\b(?:extern\w*|extérieur)\b"),
    ("es", r"[\[*_ ]*(?:precaución|atención|cuidado|correo externo)\b.{0,60}\b(?:extern\w*|fuera)\b"),
)
