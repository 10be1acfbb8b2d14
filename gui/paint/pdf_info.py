"""What a PDF says of itself: Qt writes a title, the time, and a number by chance; here it gets a subject and loses the other two."""

from __future__ import annotations

import hashlib
import re
from typing import Final
from xml.sax.saxutils import escape

_DATES: Final = re.compile(rb"/(?:CreationDate|ModDate) \([^)]*\)")
_ID: Final = re.compile(rb"/ID \[ <([0-9a-fA-F]+)> <([0-9a-fA-F]+)> \]")
_TRAILER: Final = re.compile(rb"trailer\s*<<(.*?)>>\s*startxref\s+(\d+)", re.DOTALL)
_INFO: Final = re.compile(rb"/Info (\d+) 0 R")

XMP: Final = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/">
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{title}</rdf:li></rdf:Alt></dc:title>
<dc:description><rdf:Alt><rdf:li xml:lang="x-default">{about}</rdf:li></rdf:Alt></dc:description>
<xmp:CreatorTool>{program}</xmp:CreatorTool>
</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="w"?>
"""


def xmp_of(title: str, about: str, program: str) -> bytes:
    """The metadata that newer readers of PDFs ask for."""
    return XMP.format(title=escape(title), about=escape(about), program=escape(program)).encode()


def finished_pdf(content: bytes, title: str, about: str, program: str) -> bytes:
    """A PDF with a title and a subject, the same each time: what it says of itself is written anew behind it, as PDFs are changed.

    Parameters
    ----------
    content : bytes
        As Qt wrote it.
    title, about, program : str
    """
    content = _DATES.sub(lambda found: b" " * len(found[0]), content)  # everything stays in its place
    digest = hashlib.sha256(_ID.sub(b"", content)).hexdigest().encode() * 4
    content = _ID.sub(lambda found: b"/ID [ <%b> <%b> ]" % (digest[: len(found[1])], digest[: len(found[2])]), content)
    trailer = _TRAILER.search(content)
    info = None if trailer is None else _INFO.search(trailer[1])
    if trailer is None or info is None:
        return content
    fields = {"Title": title, "Subject": about, "Creator": program}
    words = b"".join(b"/%b <%b>\n" % (name.encode(), _hex(value)) for name, value in fields.items())
    changed = b"%b 0 obj\n<<\n%b>>\nendobj\n" % (info[1], words)
    table = b"xref\n%b 1\n%010d 00000 n \n" % (info[1], len(content))
    start = len(content) + len(changed)
    end = b"trailer\n<<%b/Prev %b\n>>\nstartxref\n%d\n%%%%EOF\n" % (trailer[1], trailer[2], start)
    return content + changed + table + end


def _hex(text: str) -> bytes:
    return ("\ufeff" + text).encode("utf-16-be", errors="replace").hex().encode()
