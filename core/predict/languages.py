"""Readable names of the languages that tokenizers have codes for."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Final

from headscope.core.options import Language

_NAMES: Final = """
ace Acehnese; acm Mesopotamian Arabic; acq Ta'izzi-Adeni Arabic; aeb Tunisian Arabic; af Afrikaans; afr Afrikaans;
ajp South Levantine Arabic; aka Akan; als Tosk Albanian; am Amharic; amh Amharic; apc Levantine Arabic; ar Arabic;
ara Arabic; arb Standard Arabic; ars Najdi Arabic; ary Moroccan Arabic; arz Egyptian Arabic; asm Assamese; ast Asturian;
awa Awadhi; ayr Central Aymara; az Azerbaijani; azb South Azerbaijani; aze Azerbaijani; azj North Azerbaijani;
ba Bashkir; bak Bashkir; bam Bambara; ban Balinese; be Belarusian; bel Belarusian; bem Bemba; ben Bengali; bg Bulgarian;
bho Bhojpuri; bjn Banjar; bn Bengali; bod Tibetan; bos Bosnian; br Breton; bs Bosnian; bug Buginese; bul Bulgarian;
ca Catalan; cat Catalan; ceb Cebuano; ces Czech; cjk Chokwe; ckb Central Kurdish; cmn Mandarin Chinese;
crh Crimean Tatar; cs Czech; cy Welsh; cym Welsh; da Danish; dan Danish; de German; deu German; dik Southwestern Dinka;
dyu Dyula; dzo Dzongkha; el Greek; ell Greek; en English; eng English; epo Esperanto; es Spanish; est Estonian;
et Estonian; eus Basque; ewe Ewe; fa Persian; fao Faroese; fas Persian; ff Fula; fi Finnish; fij Fijian; fin Finnish;
fon Fon; fr French; fra French; fur Friulian; fuv Nigerian Fulfulde; fy Western Frisian; ga Irish;
gaz West Central Oromo; gd Scottish Gaelic; gl Galician; gla Scottish Gaelic; gle Irish; glg Galician; grn Guarani;
gu Gujarati; guj Gujarati; ha Hausa; hat Haitian Creole; hau Hausa; he Hebrew; heb Hebrew; hi Hindi; hin Hindi;
hne Chhattisgarhi; hr Croatian; hrv Croatian; ht Haitian Creole; hu Hungarian; hun Hungarian; hy Armenian; hye Armenian;
ibo Igbo; id Indonesian; ig Igbo; ilo Iloko; ind Indonesian; is Icelandic; isl Icelandic; it Italian; ita Italian;
ja Japanese; jav Javanese; java Java; jpn Japanese; jv Javanese; ka Georgian; kab Kabyle; kac Jingpho; kam Kamba;
kan Kannada; kas Kashmiri; kat Georgian; kaz Kazakh; kbp Kabiyè; kea Kabuverdianu; khk Halh Mongolian; khm Khmer;
kik Kikuyu; kin Kinyarwanda; kir Kyrgyz; kk Kazakh; km Khmer; kmb Kimbundu; kmr Northern Kurdish; kn Kannada;
knc Central Kanuri; ko Korean; kon Kongo; kor Korean; lao Lao; lat Latin; lav Latvian; lb Luxembourgish; lg Ganda;
lij Ligurian; lim Limburgish; lin Lingala; lit Lithuanian; lmo Lombard; ln Lingala; lo Lao; lt Lithuanian; ltg Latgalian;
ltz Luxembourgish; lua Luba-Kasai; lug Ganda; luo Luo; lus Mizo; lv Latvian; lvs Standard Latvian; mag Magahi;
mai Maithili; mal Malayalam; mar Marathi; mg Malagasy; min Minangkabau; mk Macedonian; mkd Macedonian; ml Malayalam;
mlt Maltese; mn Mongolian; mni Manipuri; mon Mongolian; mos Mossi; mr Marathi; mri Maori; ms Malay; msa Malay;
my Burmese; mya Burmese; ne Nepali; nl Dutch; nld Dutch; nno Norwegian Nynorsk; no Norwegian; nob Norwegian Bokmål;
nor Norwegian; npi Nepali; ns Northern Sotho; nso Northern Sotho; nus Nuer; nya Nyanja; oc Occitan; oci Occitan; or Odia;
ory Odia; pa Punjabi; pag Pangasinan; pan Punjabi; pap Papiamento; pbt Southern Pashto; pes Iranian Persian; pl Polish;
plt Plateau Malagasy; pol Polish; por Portuguese; prs Dari; ps Pashto; pt Portuguese; python Python; que Quechua;
quy Ayacucho Quechua; ro Romanian; roh Romansh; ron Romanian; ru Russian; run Rundi; rus Russian; sag Sango;
san Sanskrit; sat Santali; scn Sicilian; sd Sindhi; shn Shan; si Sinhala; sin Sinhala; sk Slovak; sl Slovenian;
slk Slovak; slv Slovenian; smo Samoan; sna Shona; snd Sindhi; so Somali; som Somali; sot Southern Sotho; spa Spanish;
sq Albanian; sqi Albanian; sr Serbian; srd Sardinian; srp Serbian; ss Swati; ssw Swati; su Sundanese; sun Sundanese;
sv Swedish; sw Swahili; swa Swahili; swe Swedish; swh Swahili; szl Silesian; ta Tamil; tam Tamil; taq Tamasheq;
tat Tatar; te Telugu; tel Telugu; tgk Tajik; tgl Tagalog; th Thai; tha Thai; tir Tigrinya; tl Tagalog; tn Tswana;
tpi Tok Pisin; tr Turkish; tsn Tswana; tso Tsonga; tuk Turkmen; tum Tumbuka; tur Turkish; twi Twi;
tzm Central Atlas Tamazight; uig Uyghur; uk Ukrainian; ukr Ukrainian; umb Umbundu; ur Urdu; urd Urdu; uz Uzbek;
uzb Uzbek; uzn Northern Uzbek; vec Venetian; vi Vietnamese; vie Vietnamese; war Waray; wo Wolof; wol Wolof; xh Xhosa;
xho Xhosa; ydd Eastern Yiddish; yi Yiddish; yid Yiddish; yo Yoruba; yor Yoruba; yue Cantonese; zh Chinese; zho Chinese;
zsm Standard Malay; zu Zulu; zul Zulu
"""
"""English names of the language codes of M2M100, mBART and NLLB, and of others with two or three letters (ISO 639)."""
_NAME_OF: Final = dict(each.split(maxsplit=1) for each in _NAMES.replace("\n", " ").split(";"))
_PARTS: Final = re.compile(r"[A-Za-z]+")


def named_languages(codes: Iterable[str]) -> tuple[Language, ...]:
    """Each code with its name, by name; a code that is not known is its own name, and so is added where names are equal.

    >>> [language.name for language in named_languages(["fr_XX", "zho_Hans", "zho_Hant", "xyz"])]
    ['Chinese (zho_Hans)', 'Chinese (zho_Hant)', 'French', 'xyz']
    """
    names = {code: _name(code) for code in codes}
    times = Counter(names.values())
    languages = [Language(code, name if times[name] == 1 else f"{name} ({code})") for code, name in names.items()]
    return tuple(sorted(languages, key=lambda language: language.name.casefold()))


def _name(code: str) -> str:
    parts = _PARTS.findall(code)
    return _NAME_OF.get(parts[0].lower(), code) if parts else code
