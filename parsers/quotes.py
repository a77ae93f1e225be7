"""The containers and boundaries by which mail programs mark quoted HTML: data, and who asks it."""

from selectolax.lexbor import LexborNode

from parsers.reply import is_attribution

__all__ = ["ATTRIBUTIONS", "ends_reply", "is_attribution", "is_quote", "name"]

Attributes = dict[str, str | None]

# All below these is quoted: Outlook on the web and mobile, the new Outlook.
ENDS = frozenset({"divrplyfwdmsg", "appendonsend", "mail-editor-reference-message-container", "reply-intro"})
# The rule above Outlook's quoted headers, desktop and Mac.
TOP_BORDERS = ("#e1e1e1", "#b5c4df")
# What they hold is quoted: Yahoo, Thunderbird, Proton, Tuta, Zoho, Outlook for Mac, QQ.
QUOTE_CLASSES = frozenset(
    {
        "gmail_attr",
        "yahoo_quoted",
        "moz-cite-prefix",
        "protonmail_quote",
        "tutanota_quote",
        "zmail_extra",
        "moz-forward-container",
    }
)
QUOTE_IDS = frozenset({"olk_src_body_section", "isforwardcontent", "isreplycontent"})
QUOTE_NAMES = frozenset({"messagereplysection"})
# Of these, the ones that hold the attribution only, its quote beside them.
ATTRIBUTIONS = frozenset({"gmail_attr", "moz-cite-prefix"})
SIGNATURE_CLASSES = frozenset(
    {"gmail_signature", "gmail_signature_prefix", "moz-signature", "protonmail_signature_block"}
)
SIGNATURE_IDS = frozenset({"signature", "ms-outlook-mobile-signature", "applemailsignature"})


def ends_reply(attributes: Attributes) -> bool:
    """Return whether all from this node on is quoted."""
    if (attributes.get("id") or "").casefold() in ENDS:
        return True
    style = (attributes.get("style") or "").casefold()
    return "border-top" in style and any(color in style for color in TOP_BORDERS)


def is_quote(node: LexborNode, tag: str, attributes: Attributes) -> bool:
    """Return whether what the node holds is quoted, or a signature that a program put there."""
    classes = frozenset((attributes.get("class") or "").casefold().split())
    if tag == "blockquote" and ((attributes.get("type") or "").casefold() == "cite" or "gmail_quote" in classes):
        return True
    identity = (attributes.get("id") or "").casefold()
    if classes & QUOTE_CLASSES or identity in QUOTE_IDS or identity.startswith("yahoo_quoted"):
        return True
    if (attributes.get("name") or "").casefold() in QUOTE_NAMES:
        return True
    if "gmail_quote" in classes:
        # Gmail's container holds the author's answers too, between the quotes that they split.
        return node.css_first("blockquote") is None
    signature = classes & SIGNATURE_CLASSES or identity in SIGNATURE_IDS
    return bool(signature) and node.css_first("li") is None


def name(attributes: Attributes, tag: str) -> str:
    """Return what a trace calls the node: nothing in it that a sender may choose freely."""
    known = ENDS | QUOTE_CLASSES | QUOTE_IDS | QUOTE_NAMES | SIGNATURE_CLASSES | SIGNATURE_IDS | {"gmail_quote"}
    said = f"{attributes.get('id') or ''} {attributes.get('class') or ''} {attributes.get('name') or ''}".casefold()
    return next((word for word in said.split() if word in known), tag)
