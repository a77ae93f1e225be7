"""An HTML part into the lines that its reader sees, quotes cut, list items named.

The tree is walked once, without recursion: a mail may nest deeper than Python's stack. Offsets of
the lines and of the cuts are into `Rendered.text`, which holds what was cut as well: the source has none that hold.
"""

from selectolax.lexbor import LexborHTMLParser, LexborNode

from parsers.markup import quotes
from parsers.markup.page import Page, Rendered, Way
from parsers.model import Part
from parsers.tables.boundaries import AS_WRITTEN, STRUCTURE


def is_telling(source: str) -> bool:
    """Return whether the source holds list structure, a quote's container, or whatever else its program names."""
    if any(sign in source for sign in AS_WRITTEN):
        return True
    lowered = source.casefold()
    return any(sign in lowered for sign in STRUCTURE) or quotes.are_named(lowered)


def render(part: Part, *, quoted: bool = False, guess: bool = True) -> Rendered:
    """Return the lines of an HTML part without what its structure marks as quoted.

    With `quoted` those in its first quote, without the author's and without what that quote quotes. Without `guess`
    what no name tells for sure stays: a block that only looks like a quote, and a list in a signature's container.
    """
    page = Page(part.index, quoted=quoted, guess=guess)
    root = LexborHTMLParser(part.text).root
    if root is not None:
        _walk(root, page)
    return page.done()


def _walk(root: LexborNode, page: Page) -> None:
    """Enter and leave each node in document order until the page is closed by a boundary."""
    node: LexborNode | None = root
    open_nodes: list[tuple[LexborNode, str, Way]] = []
    while node is not None:
        tag = node.tag or ""
        way = page.enter(node, tag)
        if way is Way.END:
            page.cut_rest(node, root)
        if page.closed:
            return
        child = node.first_child if way is not Way.SKIP else None
        if child is not None:
            open_nodes.append((node, tag, way))
            node = child
            continue
        if way is not Way.SKIP:
            page.leave(tag, way)
        following = node.next if open_nodes else None
        while following is None and open_nodes:
            node, tag, way = open_nodes.pop()
            page.leave(tag, way)
            following = node.next if open_nodes else None
        node = following
