"""The text of a PDF's pages. pypdfium2 is loaded only when one is opened.

Raises whatever the library raises, ImportError where there is none for the platform: `parsers.attachments` makes
defects of it. A file that crashes it ends the parsing child, which costs that message its tries and nothing else.
"""

from contextlib import closing

# Nobody's week fills more pages, nor more characters.
PAGES = 30


def text(octets: bytes, characters: int) -> str:
    """Return up to `characters` of the text, pages apart by a blank line."""
    import pypdfium2  # type: ignore[import-untyped] # noqa: PLC0415  # most mails have no PDF

    pages: list[str] = []
    left = characters
    with closing(pypdfium2.PdfDocument(octets)) as document:
        for index in range(min(len(document), PAGES)):
            if left <= 0:
                break
            with closing(document[index]) as page, closing(page.get_textpage()) as shown:
                pages.append(shown.get_text_range(0, min(shown.count_chars(), left)))
            left -= len(pages[-1])
    # PDFium's mark of a hyphen at a line's end.
    return "\n\n".join(pages).replace("\ufffe", "-").replace("\x02", "-")
