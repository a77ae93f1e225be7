"""HTML's elements, by what a browser makes of them: data for `parsers.markup.page`."""

UNSEEN = frozenset({"head", "style", "script", "title", "template", "noscript", "xml", "-comment", "-doctype"})
BLOCKS = frozenset({
    "address", "article", "aside", "blockquote", "body", "center", "dd", "div", "dl", "dt", "fieldset", "footer",
    "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "html", "li", "main", "nav", "ol", "p", "pre",
    "section", "table", "tbody", "td", "th", "tr", "ul",
})  # fmt: skip
# Blocks with a margin: a blank line stands before and after.
SPACED = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "table", "blockquote", "hr"})
# Only these are asked for attributes, which cost more than the rest of the walk.
ASKED = frozenset(
    {"a", "blockquote", "br", "div", "hr", "li", "ol", "ul", "p", "pre", "section", "span", "table", "td"}
)
CELLS = frozenset({"td", "th"})
