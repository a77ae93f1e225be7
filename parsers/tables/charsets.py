"""Names of charsets as mail writes them, and the codec that reads what such mail holds. Data.

Names are compared without case and punctuation (`cp-850`, `UTF_8`). What stands here corrects
Python's own table where mail means another thing (the Encoding Standard of the web), or fills it.
"""

# Written without any separator. The wider codec is taken: Windows writes its own superset under the name
# of the standard, and no mail holds the C1 controls that the standard would read instead.
MEANT = {
    "ascii": "cp1252",
    "usascii": "cp1252",
    "ansix341968": "cp1252",
    "iso88591": "cp1252",
    "latin1": "cp1252",
    "l1": "cp1252",
    "ansi": "cp1252",
    "iso88599": "cp1254",
    "latin5": "cp1254",
    "iso885911": "cp874",
    "tis620": "cp874",
    "windows874": "cp874",
    "dos874": "cp874",
    "iso88598i": "iso8859_8",
    "iso88598e": "iso8859_8",
    "iso88596i": "iso8859_6",
    "iso88596e": "iso8859_6",
    "utf8mb4": "utf_8",
    "utf8mb3": "utf_8",
    "unicode": "utf_16",
    "ucs2": "utf_16",
    "iso10646ucs2": "utf_16",
    "iso10646utf1": "utf_8",
    "unicode11utf7": "utf_7",
    "unicode11utf8": "utf_8",
    "unicode20utf8": "utf_8",
    "gb2312": "gb18030",
    "gb231280": "gb18030",
    "chinese": "gb18030",
    "euccn": "gb18030",
    "gbk": "gb18030",
    "cp936": "gb18030",
    "ms936": "gb18030",
    "windows936": "gb18030",
    "gb18030": "gb18030",
    "hzgb2312": "hz",
    "big5": "big5hkscs",
    "cnbig5": "big5hkscs",
    "big5eten": "big5hkscs",
    "windows950": "cp950",
    "shiftjis": "cp932",
    "sjis": "cp932",
    "xsjis": "cp932",
    "mskanji": "cp932",
    "windows31j": "cp932",
    "ibm943": "cp932",
    "cp943": "cp932",
    "eucjp": "euc_jp",
    "cp51932": "euc_jp",
    "iso2022jp": "iso2022_jp_ext",
    "cp50220": "iso2022_jp_ext",
    "cp50221": "iso2022_jp_ext",
    "csiso2022jp": "iso2022_jp_ext",
    "euckr": "cp949",
    "ksc5601": "cp949",
    "ksc56011987": "cp949",
    "ksc56011989": "cp949",
    "korean": "cp949",
    "windows949": "cp949",
    "macintosh": "mac_roman",
    "mac": "mac_roman",
    "macroman": "mac_roman",
    "macce": "mac_latin2",
    "maccentraleurope": "mac_latin2",
    "maccentraleurroman": "mac_latin2",
    "maccyrillic": "mac_cyrillic",
    "macukrainian": "mac_cyrillic",
    "macgreek": "mac_greek",
    "macturkish": "mac_turkish",
    "maciceland": "mac_iceland",
    "koi8": "koi8_r",
    "koi8u": "koi8_u",
    "koi8ru": "koi8_u",
    "win1251": "cp1251",
    "ibm866": "cp866",
}

# Codecs that are no charset of a mail: they compress, encode, warn, interpret escapes, are slow (idna), or
# are EBCDIC, which no mail has ever been in.
NONE_OF_MAIL = frozenset(
    {
        "base64_codec", "bz2_codec", "charmap", "cp037", "cp1026", "cp1140", "cp273", "cp424", "cp500", "cp875",
        "hex_codec", "idna", "mbcs", "oem", "palmos", "punycode", "quopri_codec", "raw_unicode_escape", "rot_13",
        "tactis", "undefined", "unicode_escape", "utf_8_sig", "uu_codec", "zlib_codec",
    }
)  # fmt: skip

# One octet of ASCII is not the same character in these: they are asked even where all is ASCII.
STATEFUL = frozenset({"utf_7", "hz"})
MULTIBYTE = frozenset({"gb18030", "big5", "big5hkscs", "cp950", "cp932", "euc_jp", "cp949", "johab", "hz"})
