"""What says that a text is classified or controlled: banner lines, portion marks, the words beside a number.

Data only; `parsers.marks` decides. Sources: 32 CFR 2001 and the CAPCO register (classified), 32 CFR
2002 and the CUI registry (controlled), AC/35-D/2002 (NATO); FOUO, SBU and LES are older
than CUI and still written.
"""

# The level that opens a banner, and its rule; controls must follow: alone a level is also a plain word.
LEVELS = {
    "TOP SECRET": "banner:top-secret",
    "SECRET": "banner:secret",
    "CONFIDENTIAL": "banner:confidential",
    "CUI": "banner:cui",
    "CONTROLLED": "banner:cui",
}
# Levels as letters, of banners and of portion marks.
LETTERS = {"TS": "top-secret", "S": "secret", "C": "confidential", "CUI": "cui"}
# Levels that only some controls make more than public.
OPEN_LEVELS = frozenset({"U", "UNCLASSIFIED"})

# What follows a level after `//`: dissemination, compartments, data of the Atomic Energy Act, categories of CUI.
CONTROLS = (
    r"NF|NOFORN|OC|ORCON(?:-USGOV)?|OC-USGOV|REL|REL TO [A-Z][A-Z0-9, ]{0,80}|RELIDO|SI(?:-[A-Z]{1,20})?|SCI|TK|COMINT"
    r"|HCS(?:-[A-Z]{1,20})?|SAR-[A-Z -]{1,40}|RD|FRD|TFNI|CNWDI|RD-CNWDI|RESTRICTED DATA|FORMERLY RESTRICTED DATA"
    r"|FGI(?: [A-Z]{3,4}){0,9}|IMCON|IMC|PROPIN|PR|RSEN|RS|FISA|DSEN|DEA SENSITIVE|DISPLAY ONLY(?: [A-Z, ]{1,80})?"
    r"|LIMDIS|DS|EXDIS|XD|NODIS|ND|SBU|SBU-NF|LES|LES-NF|SSI|FOUO|FOR OFFICIAL USE ONLY|SENSITIVE BUT UNCLASSIFIED"
    r"|LAW ENFORCEMENT SENSITIVE|CUI|FED ?ONLY|FEDCON|NOCON|DL ONLY|SP-[A-Z]{2,12}|BASIC|PRVCY|PII|CTI|PROCURE"
    r"|TAX|HLTH|EXPT|ATOMAL|BOHEMIA|BALK|MR"
)
# Those that are written with one stroke, too: `(S/NF)`.
AFTER_ONE_STROKE = r"NF|NOFORN|REL TO [A-Z][A-Z0-9, ]{0,80}|OC|ORCON|SI|FOUO"
# And with a dash: `(S-NF)`.
AFTER_A_DASH = r"NF|NOFORN|REL(?: TO [A-Z][A-Z0-9, ]{0,80})?|ORCON|FOUO"
# Those that keep back what is else unclassified.
CONTROLLED = (
    r"FOUO|FOR OFFICIAL USE ONLY|LES|LES-NF|LAW ENFORCEMENT SENSITIVE|SBU|SBU-NF|SENSITIVE BUT UNCLASSIFIED|SSI"
    r"|LIMDIS|DS|EXDIS|XD|NODIS|ND|PROPIN|PR|DSEN|DEA SENSITIVE|CUI|NF|NOFORN|LOU|LIMITED OFFICIAL USE|OUO"
)

# A rule, and a whole line in capitals that is a banner wherever it stands.
LINES = (
    (
        "banner:nato",
        (
            r"(?://)?(?:COSMIC TOP SECRET|NATO (?:SECRET|CONFIDENTIAL|RESTRICTED))"
            r"(?:-[A-Z]{2,12})?(?: ?//? ?[A-Z, /-]{1,80})?"
        ),
    ),
    (
        "banner:foreign",
        r"//(?:FGI|JOINT|[A-Z]{3}) (?:TOP SECRET|SECRET|CONFIDENTIAL|RESTRICTED)(?:[ /][A-Z, /-]{1,80})?",
    ),
    (
        "banner:foreign",
        r"(?:SECRET UE/)?EU SECRET|(?:CONFIDENTIEL UE/)?EU CONFIDENTIAL|RESTREINT UE(?:/EU RESTRICTED)?",
    ),
    ("banner:foreign", r"UK (?:TOP SECRET|SECRET|OFFICIAL-SENSITIVE)(?: [A-Z ]{1,40})?"),
)
# A rule, and words that are a banner only where headers and footers stand.
ALONE = (
    ("banner:top-secret", r"TOP SECRET"),
    ("banner:secret", r"SECRET"),
    ("banner:cui", r"CUI|CONTROLLED|CONTROLLED UNCLASSIFIED INFORMATION(?: \(?CUI\)?)?"),
    ("banner:fouo", r"FOUO|FOR OFFICIAL USE ONLY|SENSITIVE BUT UNCLASSIFIED|LAW ENFORCEMENT SENSITIVE"),
    ("banner:restricted-data", r"(?:FORMERLY )?RESTRICTED DATA"),
    ("banner:foreign", r"OFFICIAL-SENSITIVE"),
)
# No banner by itself, since every other lawyer writes it; but `(C)` is believed beside it.
WEAK = "CONFIDENTIAL"
# What a form or a labelling program puts before the level; companies write `Classification: Confidential` there.
LABEL = (
    r"(?:OVERALL |SECURITY |DOCUMENT |HIGHEST )?CLASSIFICATION"
    r"(?: LEVEL| OF THIS (?:E-?MAIL|MESSAGE|DOCUMENT))?[ \t]*+[:=]"
)
# How lines begin that say who classified a text, or controls it; two of one block say that it is so.
BLOCKS = (
    ("block:classified", r"CLASSIFIED BY|DERIVED FROM|DECLASSIFY ON"),
    ("block:controlled", r"CONTROLLED BY|CUI CATEGOR(?:Y|IES)|LIMITED DISSEMINATION CONTROLS?"),
)
# A text without any of these holds no banner.
TELLING = (
    *("SECRET", "CUI", "CONTROLLED", "CONFIDENTIAL", "UNCLASSIFIED", "OFFICIAL", "FOUO", "SENSITIVE", "RESTR", "//"),
    *("CLASSIFIED BY", "DERIVED FROM", "DECLASSIFY"),
)

# Portion marks of one word that say it by themselves, and the older ones.
WORDS = {"CUI": "portion:cui", "FOUO": "portion:fouo", "SBU": "portion:fouo"}
# Other nations' portion marks begin with the two strokes.
FOREIGN_PORTION = r"//(?:CTS|NS|NC|NR|(?:FGI|JOINT|[A-Z]{3}) [TSCR]{1,2})(?:[-/ ][A-Z, /-]{1,60})?"

# The word before a number that has an SSN's form and is another's: `Case 123-45-6789`.
OTHER_NUMBERS = frozenset(
    {
        "bug", "case", "cell", "contract", "control", "docket", "ext", "fax", "grant", "invoice", "isbn", "issn",
        "issue", "item", "job", "lot", "mobile", "model", "nsn", "order", "part", "phone", "po", "serial", "sku",
        "tel", "telephone", "ticket", "tracking", "version",
    }
)  # fmt: skip
# Words that may stand between those and the number.
LINKS = frozenset({"no", "nos", "number", "numbers", "num", "nr", "id", "is", "was", "of", "the"})
# Numbers that were printed in advertisements and are nobody's.
NOBODYS = frozenset({"078051120", "219099999"})
