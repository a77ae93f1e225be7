# ruff: noqa: RUF001  the letters of other alphabets are what this file is about
"""What text of a language looks like outside ASCII, by the codec that old mail wrote it in. Data.

A row is a codec and the characters that such text is mostly made of: for the languages that write
Latin letters all of their accented ones, for the others the most frequent. In the order in which a
tie is decided.
"""

from typing import NamedTuple


class Alphabet(NamedTuple):
    """One language as one codec writes it."""

    codec: str
    language: str
    letters: frozenset[str]


# Says nothing of the language: the same octets in all of Windows' code pages, or rare in any.
NEUTRAL = frozenset("“”‘’„‚–—…•·«»‹›§°€£®©™´×÷½¼¾±¹²³µ¶†‡¡¿\u00a0\u00ad")

_RUSSIAN = "оеаинтсрвлкмдпуяыь"
_CHINESE = (
    "的一是不了在人有我他这中大来上个国到说们为子和你地出道也时年得就那要下以生会自着去之过家学对可里后小么心多天而能好"
    "都然没日于起还发成事只作当想看文无开手十用主行方又如前所本见经头面公同三已老从动两长知民样现分将外但身些与高意进把"
    "法此实回二理美点月明其种声全工己话儿者向情部正名定女问力机给等几很业最间新什打便位因重被走电四第门相次东政海口使教"
    "西再平真听世气信北少关并内加化由却代军产入先山五太水万市请谢您好邮件附关于周报完成项目会议工作本周下周，。、；：！？（）《》“”"
)
_TRADITIONAL = (
    "的一是不了在人有我他這中大來上個國到說們為子和你地出道也時年得就那要下以生會自著去之過家學對可里後小麼心多天而能好"
    "都然沒日於起還發成事只作當想看文無開手十用主行方又如前所本見經頭面公同三已老從動兩長知民樣現分將外但身些與高意進把"
    "法此實回二理美點月明其種聲全工己話兒者向情部正名定女問力機給等幾很業最間新什打便位因重被走電四第門相次東政海口使教"
    "西再平真聽世氣信北少關並內加化由卻代軍產入先山五太水萬市請謝您郵件附於週報完成項目會議工作，。、；：！？（）「」『』"
)
_KANA = "".join(chr(code) for code in (*range(0x3041, 0x3094), *range(0x30A1, 0x30F5), 0x30FC)) + "、。「」・〜"
_KANJI = (
    "日本会社様件送信今月週年時報告確認作業完了資料議事予定連絡願致申上下中大人出入分見行来事合同前後新名部課長担当"
)
_HANGUL = (
    "이다는을의에가고하지한도로를은서들기사어자나시그리대수해정인아일있전보제부니과장주라안여게원스관음만년것했습"
    "세요조건진면경으동성모비상구우유무신생문공오방말국학회업금까적내미소치당와때두위간"
)

# Where the octets decode without error and this share of their characters is of the alphabet, it is that.
WIDE = (
    Alphabet("gb18030", "Chinese, simplified", frozenset(_CHINESE)),
    Alphabet("big5hkscs", "Chinese, traditional", frozenset(_TRADITIONAL)),
    Alphabet("euc_jp", "Japanese", frozenset(_KANA + _KANJI)),
    Alphabet("cp932", "Japanese", frozenset(_KANA + _KANJI)),
    Alphabet("cp949", "Korean", frozenset(_HANGUL)),
)
# Of other scripts words are written outside ASCII from end to end; of Latin ones a letter here and there.
LATIN = (
    Alphabet("cp1252", "French", frozenset("àâæçéèêëîïôœùûüÿÀÂÇÉÈÊËÎÏÔŒÙÛÜ")),
    Alphabet("cp1252", "German", frozenset("äöüßÄÖÜé")),
    Alphabet("cp1252", "Spanish", frozenset("áéíñóúüÁÉÍÑÓÚÜªº")),
    Alphabet("cp1252", "Portuguese", frozenset("áàâãçéêíóôõúüÁÀÂÃÇÉÊÍÓÔÕÚªº")),
    Alphabet("cp1252", "Italian", frozenset("àèéìíîòóùúÀÈÉÌÒÙ")),
    Alphabet("cp1252", "Nordic", frozenset("åäöæøéüÅÄÖÆØÉ")),
    Alphabet("cp1252", "Icelandic", frozenset("áðéíóúýþæöÁÐÉÍÓÚÝÞÆÖ")),
    Alphabet("cp1252", "Dutch, Catalan, Irish", frozenset("áàäçéèëïíóòöúüÁÀÇÉÈÍÓÒÚ")),
    Alphabet("cp1250", "Polish", frozenset("ąćęłńóśźżĄĆĘŁŃÓŚŹŻ")),
    Alphabet("iso8859_2", "Polish", frozenset("ąćęłńóśźżĄĆĘŁŃÓŚŹŻ")),
    Alphabet("cp1250", "Czech", frozenset("áčďéěíňóřšťúůýžÁČĎÉÍŇÓŘŠŤÚÝŽ")),
    Alphabet("iso8859_2", "Czech", frozenset("áčďéěíňóřšťúůýžÁČĎÉÍŇÓŘŠŤÚÝŽ")),
    Alphabet("cp1250", "Slovak", frozenset("áäčďéíĺľňóôŕšťúýžÁČĎÉÍĽŇÓŠŤÚÝŽ")),
    Alphabet("iso8859_2", "Slovak", frozenset("áäčďéíĺľňóôŕšťúýžÁČĎÉÍĽŇÓŠŤÚÝŽ")),
    Alphabet("cp1250", "Hungarian", frozenset("áéíóöőúüűÁÉÍÓÖŐÚÜŰ")),
    Alphabet("iso8859_2", "Hungarian", frozenset("áéíóöőúüűÁÉÍÓÖŐÚÜŰ")),
    Alphabet("cp1250", "Romanian", frozenset("ăâîşţĂÂÎŞŢ")),
    Alphabet("iso8859_2", "Romanian", frozenset("ăâîşţĂÂÎŞŢ")),
    Alphabet("cp1250", "Croatian, Slovene", frozenset("čćđšžČĆĐŠŽ")),
    Alphabet("iso8859_2", "Croatian, Slovene", frozenset("čćđšžČĆĐŠŽ")),
    Alphabet("cp1254", "Turkish", frozenset("âçğıîöşûüÇĞİÖŞÜ")),
    Alphabet("cp1257", "Baltic", frozenset("ąčęėįšųūžāēģīķļņõäöüĄČĘĖĮŠŲŪŽĀĒĢĪĶĻŅÕÄÖÜ")),
)
OTHER = (
    Alphabet("cp1251", "Russian, Ukrainian, Bulgarian", frozenset(_RUSSIAN + "іїє")),
    Alphabet("koi8_u", "Russian, Ukrainian", frozenset(_RUSSIAN + "іїє")),
    Alphabet("iso8859_5", "Russian", frozenset(_RUSSIAN)),
    Alphabet("cp866", "Russian", frozenset(_RUSSIAN)),
    Alphabet("cp1253", "Greek", frozenset("αοιετσνηυρπκμλςωόίάέήώύ")),
    Alphabet("cp1255", "Hebrew", frozenset("יוהלאתמרבשנדחכעק")),
    Alphabet("cp1256", "Arabic", frozenset("ايلمونترهبدسعكقفح")),
    Alphabet("cp874", "Thai", frozenset("านรกเงมยลวดทสตะปบคหแจพชขใไอ่้ีัิ็์ืุูำโ")),
)
