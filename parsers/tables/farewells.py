# ruff: noqa: ISC004, RUF001  rows are long alternatives over some lines, in all alphabets
"""How people greet and take their leave, and what their telephones and mail programs write below. Data only.

`parsers.signature` compares whole lines in lower case, punctuation aside.
"""

# Believed alone on their line, and before a name on it (`Viele Grüße Ann`).
SIGN_OFFS = (
    (
        "en",
        "best regards|best wishes|all the best|kind regards|kindest regards|warm regards|warmest regards|with regards"
        "|with best regards|with kind regards|thanks and regards|thanks & regards|thanks and best regards|many thanks"
        "|best thanks|many thanks in advance|yours sincerely|yours truly|yours faithfully|very truly yours|yours"
        "|sincerely yours|respectfully submitted|very respectfully|most respectfully|respectfully yours|cordially"
        "|with appreciation|with gratitude|warmly|cheers|hth|hope this helps|v/r|vr|r/s|in service|semper fi"
        "|thanks again|thank you again|thank you very much|thanks so much|thanks very much|thanks a lot|thanks much"
        "|thanks in advance|thank you in advance|thank you for your time|thanks for your time|take care|ciao|"
        "rgds|brgds",
    ),
    (
        "de",
        "mit freundlichen grüßen|mit freundlichen grüssen|mit freundlichem gruß|mit freundlichem gruss|viele grüße"
        "|viele grüsse|liebe grüße|liebe grüsse|beste grüße|beste grüsse|schöne grüße|herzliche grüße|"
        "freundliche grüße"
        "|freundliche grüsse|mit besten grüßen|mit besten grüssen|mit herzlichen grüßen|mit vielen grüßen|"
        "viele liebe grüße|gruß|gruss|grüße|grüsse"
        "|grüßle|mfg|lg|vg|hochachtungsvoll|danke und gruß|vielen dank und viele grüße|schönen gruß|besten gruß"
        "|tschüss|bis dann|danke im voraus|vielen dank im voraus",
    ),
    (
        "fr",
        "cordialement|bien cordialement|très cordialement|sincères salutations|meilleures salutations|salutations"
        "|bien à vous|bien à toi|bonne journée|bonne soirée|bonne réception|amicalement|amitiés|"
        "respectueusement|cdlt|cdt|bàv"
        "|avec mes remerciements|merci d'avance|merci par avance|bien sincèrement|à bientôt|bises|a+",
    ),
    (
        "es",
        "saludos|un saludo|saludos cordiales|un cordial saludo|cordialmente|atentamente|atte|un abrazo|abrazos"
        "|muchas gracias|gracias de antemano|quedo atento|quedo atenta|quedo a su disposición|muchos saludos|"
        "saludos atentos",
    ),
    (
        "pt",
        "atenciosamente|att|cumprimentos|melhores cumprimentos|com os melhores cumprimentos|abraço|abraços|abs"
        "|cordialmente|saudações|grato|grata|muito obrigado|muito obrigada|obrigado desde já",
    ),
    (
        "it",
        "cordiali saluti|distinti saluti|cari saluti|un saluto|saluti|un cordiale saluto|a presto|grazie mille"
        "|grazie e saluti|buona giornata|cordialmente|un caro saluto|buon lavoro",
    ),
    (
        "nl",
        "met vriendelijke groet|met vriendelijke groeten|vriendelijke groet|vriendelijke groeten|groet|"
        "groeten|groetjes"
        "|hartelijke groet|hartelijke groeten|mvg|met hartelijke groet|hoogachtend|alvast bedankt",
    ),
    (
        "sv",
        "med vänlig hälsning|med vänliga hälsningar|vänliga hälsningar|vänligen|hälsningar|mvh|bästa hälsningar"
        "|med bästa hälsningar|tack på förhand|hälsn|vh",
    ),
    (
        "da",
        "med venlig hilsen|venlig hilsen|mange hilsner|bedste hilsner|hilsen|de bedste hilsner|"
        "på forhånd tak|kh|vh",
    ),
    ("nb", "med vennlig hilsen|vennlig hilsen|beste hilsen|mange hilsener|med hilsen|hilsen|på forhånd takk|mvh"),
    ("fi", "ystävällisin terveisin|terveisin|parhain terveisin|yt|t|terv|kiitos etukäteen|yst. terv"),
    ("is", "kveðja|bestu kveðjur|með kveðju|kær kveðja"),
    ("et", "lugupidamisega|parimate soovidega|tervitades"),
    ("lv", "ar cieņu"),
    ("lt", "pagarbiai"),
    (
        "pl",
        "pozdrawiam|z poważaniem|serdecznie pozdrawiam|pozdrawiam serdecznie|pozdrowienia|"
        "z wyrazami szacunku|pzdr|łączę pozdrowienia",
    ),
    ("cs", "s pozdravem|s přátelským pozdravem|hezký den|přeji hezký den|děkuji a s pozdravem|srdečně zdraví|zdraví"),
    ("sk", "s pozdravom|s úctou|pekný deň"),
    ("sl", "lep pozdrav|lp|s spoštovanjem|lepo pozdravljeni"),
    ("hr", "lijep pozdrav|srdačan pozdrav|s poštovanjem|pozdrav|lp"),
    ("sr", "srdačan pozdrav|поздрав|с поштовањем"),
    (
        "ru",
        "с уважением|с наилучшими пожеланиями|всего доброго|всего хорошего|с приветом|удачи|заранее спасибо|"
        "искренне ваш",
    ),
    ("uk", "з повагою|з найкращими побажаннями|щиро ваш|щиро"),
    ("bg", "поздрави|с уважение|хубав ден"),
    ("el", "με εκτίμηση|φιλικά|χαιρετισμούς"),
    ("tr", "saygılarımla|saygılar|iyi çalışmalar|sevgiler|selamlar|iyi günler|teşekkürler"),
    ("ro", "cu stimă|cu respect|toate cele bune|cu drag|o zi bună"),
    ("hu", "üdvözlettel|tisztelettel|üdv|köszönettel|szép napot|üdvözlet"),
    ("he", "בברכה|בכבוד רב|תודה מראש"),
    ("ar", "مع خالص التحية|مع التحية|تحياتي|وشكرا"),
    ("zh", "此致|敬礼|此致敬礼|顺颂商祺|祝好|谢谢|謝謝|多谢|敬上|顺祝商祺|祝工作顺利|此致 敬礼"),
    ("ja", "よろしくお願いします|宜しくお願いします|よろしくお願いいたします"
        "|よろしくお願い致します|宜しくお願い致します"
        "|敬具|失礼します|失礼いたします"),
    ("ko", "감사합니다|고맙습니다|감사합니다 드림|드림|수고하세요|수고하십시오"),
    ("vi", "trân trọng|thân mến|xin cảm ơn|trân trọng cảm ơn"),
    ("id", "salam|hormat saya|terima kasih|salam hormat"),
    ("ca", "salutacions|cordialment|atentament"),
    ("eo", "amike|salutas"),
)  # fmt: skip

# Words that open sentences as often: alone on their line, or with a comma before the name.
SHY_SIGN_OFFS = (
    ("en", "best|regards|sincerely|respectfully|r/|r|love|peace|later|thx|tia|ttyl|bye|have a great day|have a good day"
           "|have a great week"
           "|have a nice day|have a great weekend|have a good weekend|have a good one|have a nice weekend|"
           "looking forward|talk soon|thank you for your help|thanks for your help"
           "|thank you for all you do|thanks for all you do|let me know if you have any questions|greetings"),
    ("de", "danke|vielen dank|besten dank|herzlich|bis bald|danke schön|schönen tag noch|schönes wochenende"),
    ("fr", "merci|merci beaucoup|merci bien"),
    ("es", "gracias|mil gracias|feliz día|buen día"),
    ("pt", "obrigado|obrigada"),
    ("it", "grazie"),
    ("nl", "bedankt|dank je|dank u|fijne dag|dank"),
    ("sv", "tack"),
    ("da", "tak|mange tak"),
    ("nb", "takk|mange takk"),
    ("fi", "kiitos"),
    ("pl", "dziękuję|dzięki"),
    ("cs", "díky|děkuji|děkuji předem"),
    ("ru", "спасибо|благодарю"),
    ("uk", "дякую"),
    ("hu", "köszönöm|köszi"),
    ("ro", "mulțumesc"),
    ("tr", "teşekkür ederim"),
    ("zh", "祝"),
    ("ja", "ありがとうございます|ありがとうございました"),
)  # fmt: skip
# Before a name without a comma, or alone: these two are how most English mail ends.
THANKS = ("thanks", "thank you", "many thanks", "cheers", "v/r", "vr", "thx", "thanks again")

# What telephones and programs write below, as regular expressions over a whole line in lower case.
DEVICES = (
    # A device by name, whatever excuse follows it
    (
        "en",
        r"(?:sent|typed|written) (?:from|on|via|using|by|with) (?:my |a |an |"
        r"the )?(?:[\w'’-]+,? ){0,4}(?:iphone|ipad|ipod|android|blackberry|galaxy|samsung|pixel|mobile|phone|"
        r"smartphone|cell|handheld|treo|tablet|outlook|gmail|yahoo|thunderbird|windows mail|mail for windows|"
        r"protonmail|proton mail|nokia|palm|huawei|xiaomi|oneplus|lumia|spark|superhuman|mailspring|airmail|"
        r"boxer|nine|workspace one)\b.{0,80}",
    ),
    ("en", r"sent (?:from|via|with|using) (?:my |the |a |an )?(?:[\w'’&-]+[ ]?){1,4}"),
    ("en", r"get outlook for (?:ios|android|mac)\b.{0,40}"),
    ("en", r"get (?:bluemail|\[?boomerang|mail) for .{2,40}|sent by .{2,30} for (?:ios|android)"),
    (
        "de",
        r"(?:von meinem .{2,40}|gesendet (?:von|mit|aus|über) .{2,60}|"
        r"diese nachricht wurde von meinem .{2,60}|mobil gesendet|von unterwegs gesendet.{0,20}|"
        r"outlook für (?:ios|android).{0,40}|hol dir outlook für .{2,40})",
    ),
    (
        "fr",
        r"(?:envoyé (?:de|depuis|à partir de|avec) .{2,60}|obtenez outlook pour .{2,40}|provenance : .{2,40}|"
        r"télécharger outlook pour .{2,40})",
    ),
    ("es", r"(?:enviado (?:desde|con|a través de) .{2,60}|obtener outlook para .{2,40})"),
    (
        "pt",
        r"(?:enviad[oa] (?:do|da|de|a partir d[oae]|através d[oae]|por|pelo) .{2,60}|"
        r"obter o outlook para .{2,40})",
    ),
    ("it", r"(?:inviat[oa] (?:da|dal|con|tramite) .{2,60}|ottieni outlook per .{2,40}|scarica outlook per .{2,40})"),
    (
        "nl",
        r"(?:(?:verstuurd|verzonden) (?:vanaf|vanuit|met|via) .{2,60}|outlook voor (?:ios|android).{0,40}|"
        r"download outlook voor .{2,40})",
    ),
    ("sv", r"(?:skickat från|skickat med|sänt från) .{2,60}|hämta outlook för .{2,40}"),
    ("da", r"sendt (?:fra|via|med) .{2,60}|hent outlook til .{2,40}"),
    ("nb", r"sendt (?:fra|via|med) .{2,60}|få outlook for .{2,40}"),
    ("fi", r"lähetetty .{2,60}|hanki outlook .{2,40}"),
    ("pl", r"(?:wysłano|wysłane) (?:z|ze|za pomocą|przy użyciu) .{2,60}|pobierz program outlook.{0,40}"),
    ("cs", r"(?:odesláno|odesláno|posláno|odoslané) z .{2,60}|získejte outlook pro .{2,40}"),
    ("hu", r"(?:küldve|iphone-ról küldve|elküldve) .{2,60}|.{2,40}(?:ról|ről) küldve"),
    ("ro", r"trimis (?:de pe|din|cu) .{2,60}"),
    ("ru", r"(?:отправлено (?:с|из|от) .{2,60}|отправлено с помощью .{2,60})"),
    ("uk", r"(?:надіслано (?:з|із|за допомогою) .{2,60})"),
    ("tr", r".{2,40}(?:imden|ımdan|umdan|ümden|dan|den) gönderildi|ios için outlook.{0,40}"),
    ("el", r"στάλθηκε από .{2,60}"),
    ("zh", r"(?:发自我的|從我的|从我的|发自|發自|傳送自|来自我的).{2,40}|获取 outlook.{0,40}|用.{1,10}邮箱发送"),
    ("ja", r".{2,40}(?:から送信|から送信されました)|(?:ios|android) 版 outlook.{0,40}"),
    ("ko", r"(?:나의 )?.{2,30}에서 (?:보냄|보낸 메일|전송).{0,20}"),
    ("he", r"נשלח מ.{2,40}"),
    ("ar", r"(?:أرسلت|مرسل) من .{2,40}"),
    ("vi", r"đã gửi từ .{2,40}"),
)  # fmt: skip

# How a text begins: regular expressions for the head of a line.
GREETINGS = (
    (
        "en",
        r"hi|hello|hey|dear|greetings|good (?:morning|afternoon|evening|day)|all|team|sir|ma'?am|thanks|thank you"
        r"|here (?:are|is)",
    ),
    ("es", "hola"),
    ("fr", "bonjour"),
    ("de", "hallo"),
)

# Titles and ways to reach somebody, by which the lines of a name block are told.
CONTACT = (
    r"\b(?:tel|telefon|téléphone|phone|ph|mobile|mob|cell|cellular|fax|office|desk|direct|dsn|voip|handy|"
    r"mobil|tél|móvil"
    r"|email|e-mail|mail|mailto|web|www|http|https|skype|twitter|linkedin|pgp|gpg|fingerprint|room|suite|"
    r"floor|icq|irc|jabber)\b[ .]*[:#]?"
    r"|(?:\+\d|\(\d{3}\)|\b\d{3}[-. ]\d{3,4}[-. ]\d{3,4})|@|www\.|https?://"
)
TITLES = (
    "director", "manager", "analyst", "officer", "engineer", "specialist", "chief", "assistant", "coordinator",
    "administrator", "supervisor", "counsel", "attorney", "secretary", "president", "department", "dept", "division",
    "branch", "bureau", "office", "agency", "institute", "university", "ministry", "professor", "ph.d", "phd", "pmp",
    "cpa", "esq", "gmbh", "inc", "llc", "ltd", "corp", "lead", "developer", "architect", "consultant", "intern",
    "leiter", "leiterin", "referent", "abteilung", "directeur", "directrice", "responsable", "service", "colonel",
    "major", "captain", "lieutenant", "sergeant", "usaf", "usn", "usmc", "gs-", "team",
)  # fmt: skip
