"""How mail programs mark quotes, signatures and labels in HTML: the element's name, what it means, and the client.

Data only; `parsers.markup.quotes` decides. Names are in lower case, without the prefixes that Outlook on the
web (`x_`), Gmail (`m_123…`) and Yahoo (`yiv123…`, `ydp123…`) put before those of a mail that they quote.
"""

from enum import Enum


class Effect(Enum):
    """What an element makes of its content, and of what follows it."""

    QUOTE = "its content is quoted"
    END = "it and all that follows is quoted"
    ATTRIBUTION = "its content announces the quote beside it"
    CONTAINER = "it holds quotes, and the answers that split them"
    SIGNATURE = "its content is a signature"
    LABEL = "its content was added on the way"


QUOTE, END, ATTRIBUTION = Effect.QUOTE, Effect.END, Effect.ATTRIBUTION
CONTAINER, SIGNATURE, LABEL = Effect.CONTAINER, Effect.SIGNATURE, Effect.LABEL

IDS = {
    "divrplyfwdmsg": END,  # Outlook on the web, Outlook.com, the new Outlook
    "appendonsend": END,  # Outlook on the web, where its own signature ends
    "mail-editor-reference-message-container": END,  # Outlook for iOS and Android, the new Outlook for Mac
    "stopspelling": END,  # Hotmail, a rule
    "zwchr": END,  # Zimbra, a rule
    "olk_src_body_section": QUOTE,  # Outlook for Mac 2011
    "isforwardcontent": QUOTE,  # NetEase 163
    "isreplycontent": QUOTE,  # NetEase 163
    "ntes-pcmail-quote": QUOTE,  # NetEase MailMaster
    "original-content": QUOTE,  # QQ Mail
    "blockquote_zmail": QUOTE,  # Zoho
    "yahoo_quoted": QUOTE,  # Yahoo, a number behind it
    "reply-intro": ATTRIBUTION,  # Roundcube
    "signature": SIGNATURE,  # Outlook on the web
    "ms-outlook-mobile-signature": SIGNATURE,  # Outlook for iOS and Android
    "ms-outlook-mobile-body-separator-line": SIGNATURE,  # Outlook for iOS and Android, the blank line above it
    "applemailsignature": SIGNATURE,  # Apple Mail on iOS
    "mac_outlook_signature": SIGNATURE,
    "composer_signature": SIGNATURE,  # Samsung Email
    "zm-_id_-sgn": SIGNATURE,  # Zoho
    "bloop_sign": SIGNATURE,  # Airmail, a number behind it
}
CLASSES = {
    "gmail_quote": CONTAINER,  # Gmail, on the web and in its apps
    "gmail_quote_container": CONTAINER,  # Gmail since 2024
    "gmail_attr": ATTRIBUTION,  # Gmail
    "moz-cite-prefix": ATTRIBUTION,  # Thunderbird
    "airmail_on": ATTRIBUTION,  # Airmail
    "yahoo_quoted": QUOTE,  # Yahoo
    "protonmail_quote": QUOTE,  # Proton Mail
    "tutanota_quote": QUOTE,  # Tuta
    "zmail_extra": QUOTE,  # Zoho
    "history_container": QUOTE,  # Mailbird
    "cite2": QUOTE,  # eM Client
    "clean_bq": QUOTE,  # Airmail
    "front-blockquote": QUOTE,  # Front
    "missive_quote": QUOTE,  # Missive
    "sh-quoted-content": QUOTE,  # Superhuman
    "ntes-mailmaster-quote": QUOTE,  # NetEase MailMaster
    "moz-forward-container": QUOTE,  # Thunderbird
    "moz-email-headers-table": END,  # Thunderbird, a forwarded mail's header
    "outlookmessageheader": END,  # Outlook 2003
    "gmail_signature": SIGNATURE,  # Gmail
    "gmail_signature_prefix": SIGNATURE,  # Gmail, the dashes above it
    "moz-signature": SIGNATURE,  # Thunderbird
    "protonmail_signature_block": SIGNATURE,  # Proton Mail
    "tutanota_signature": SIGNATURE,  # Tuta
    "front-signature": SIGNATURE,  # Front
    "missive_signature": SIGNATURE,  # Missive
    "sh-signature": SIGNATURE,  # Superhuman
    "bloop_sign": SIGNATURE,  # Airmail
    "mb_sig": SIGNATURE,  # Mailbird
    "-x-evo-signature": SIGNATURE,  # Evolution
    "-x-evo-signature-wrapper": SIGNATURE,  # Evolution
}
NAMES = {
    "messagereplysection": QUOTE,  # Spark
    "messagesignaturesection": SIGNATURE,  # Spark
    "quote": QUOTE,  # GMX, web.de
    "quoted-content": QUOTE,  # GMX, web.de, inside the other
}
# Zimbra marks its parts so.
MARKERS = {
    "__divider__": END,
    "__headers__": END,
    "__quoted_text__": QUOTE,
    "__sig_post__": SIGNATURE,
    "__sig_pre__": SIGNATURE,
}
# Microsoft Purview puts its label into elements of a class that begins so.
LABEL_PREFIXES = ("msipheader", "msipfooter")

# The rule above Outlook's quoted header, desktop and Mac, as it is written and as browsers write it anew.
TOP_BORDERS = ("#e1e1e1", "#b5c4df", "rgb(225,225,225)", "rgb(181,196,223)")

# What of HTML tells that it says more than the plain part beside it, other than a name of those above: lists, those
# of Word (desktop Outlook, and the copy of it that Gmail makes), quotes, and the rule above a header.
STRUCTURE = ("<li", "mso-list", "msolistparagraph", "<blockquote", *TOP_BORDERS, "rgb(225, 225, 225)")
# The commonest, as Outlook, Gmail and Apple Mail write them: to fold the case of a whole source costs more.
AS_WRITTEN = ("<li", "MsoListParagraph", "mso-list", "<blockquote", "gmail_quote", "#E1E1E1")
