"""The head that Word puts before each mail of Outlook for the desktop: most of its octets."""

# What Word's filtered HTML defines whether used or not.
FONTS = (
    "Wingdings 5 0 0 0 0 0 0 0 0 0",
    "Cambria Math 2 4 5 3 5 4 6 3 2 4",
    "Calibri 2 15 5 2 2 2 4 3 2 4",
    "Aptos 2 11 0 4 2 2 2 2 2 4",
    "Tahoma 2 11 6 4 3 5 4 4 2 4",
)
STYLES = """\
p.MsoNormal, li.MsoNormal, div.MsoNormal
	{margin:0in;
	font-size:11.0pt;
	font-family:"Calibri",sans-serif;
	mso-ligatures:standardcontextual;}
a:link, span.MsoHyperlink
	{mso-style-priority:99;
	color:#0563C1;
	text-decoration:underline;}
p.MsoListParagraph, li.MsoListParagraph, div.MsoListParagraph
	{mso-style-priority:34;
	margin-top:0in;
	margin-right:0in;
	margin-bottom:0in;
	margin-left:.5in;
	font-size:11.0pt;
	font-family:"Calibri",sans-serif;}
span.EmailStyle19
	{mso-style-type:personal-reply;
	font-family:"Calibri",sans-serif;
	color:windowtext;}
.MsoChpDefault
	{mso-style-type:export-only;
	font-size:10.0pt;}
@page WordSection1
	{size:8.5in 11.0in;
	margin:1.0in 1.0in 1.0in 1.0in;}
div.WordSection1
	{page:WordSection1;}
/* List Definitions */"""

# Word cycles these three glyphs and faces through the nine levels of a bulleted list.
GLYPHS = (("\\F0B7", "Symbol"), ("o", '"Courier New"'), ("\\F0A7", "Wingdings"))
LEVELS = 9

OPENING = """\
<html xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office" \
xmlns:w="urn:schemas-microsoft-com:office:word" \
xmlns:m="http://schemas.microsoft.com/office/2004/12/omml" xmlns="http://www.w3.org/TR/REC-html40">
<head>
<meta http-equiv="Content-Type" content="text/html; charset={charset}">
<meta name="Generator" content="Microsoft Word 15 (filtered medium)">
<style><!--
/* Font Definitions */"""
CLOSING = """\
ol
	{margin-bottom:0in;}
ul
	{margin-bottom:0in;}
--></style><!--[if gte mso 9]><xml>
<o:shapedefaults v:ext="edit" spidmax="1026" />
</xml><![endif]-->
</head>
<body lang="EN-US" link="#0563C1" vlink="#954F72" style="word-wrap:break-word">
<div class="WordSection1">"""


def opening(charset: str, lists: int) -> str:
    """Return the document up to its text; Word keeps the definitions of all `lists` it ever had."""
    fonts = (_font(*row.rsplit(" ", 10)) for row in FONTS)
    definitions = (_definition(number) for number in range(lists))
    return "\n".join((OPENING.format(charset=charset), *fonts, STYLES, *definitions, CLOSING))


def _font(name: str, *panose: str) -> str:
    return f'@font-face\n\t{{font-family:"{name}";\n\tpanose-1:{" ".join(panose)};}}'


def _definition(number: int) -> str:
    head = (
        f"@list l{number}\n\t{{mso-list-id:{136_919_281 + 74_093_117 * number};\n\tmso-list-type:hybrid;\n"
        "\tmso-list-template-ids:67698689 67698691 67698693 67698689 67698691 67698693;}"
    )
    return "\n".join((head, *(_level(number, level) for level in range(1, LEVELS + 1))))


def _level(number: int, level: int) -> str:
    glyph, face = GLYPHS[(level - 1) % len(GLYPHS)]
    return (
        f"@list l{number}:level{level}\n\t{{mso-level-number-format:bullet;\n\tmso-level-text:{glyph};\n"
        "\tmso-level-tab-stop:none;\n\tmso-level-number-position:left;\n"
        f"\ttext-indent:-.25in;\n\tfont-family:{face};}}"
    )
