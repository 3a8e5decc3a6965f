"""Files that are not lists of contacts: what each is called when it is refused."""

import re
from pathlib import Path

from django.utils.translation import gettext_lazy

from laaffic_console.kit.words.said import gettext as _
from messaging.files.unreadable import UnreadableFile

BLANK = b"\xef\xbb\xbf\xff\xfe\x00 \r\n\t"  # marks of byte order too, and the zeros beside them
_OLE = b"\xd0\xcf\x11\xe0"
_BINARY = {
    b"\x89PNG": gettext_lazy("a picture"),
    b"\xff\xd8\xff": gettext_lazy("a picture"),
    b"GIF8": gettext_lazy("a picture"),
    b"%PDF": gettext_lazy("a PDF"),
    _OLE: gettext_lazy("an old Excel file (.xls)"),
    b"\x1f\x8b": gettext_lazy("a compressed file"),
    b"Rar!": gettext_lazy("a compressed file"),
    b"7z\xbc\xaf": gettext_lazy("a compressed file"),
    b"MZ": gettext_lazy("a program"),
    b"\x7fELF": gettext_lazy("a program"),
    b"SQLite format 3": gettext_lazy("a database"),
    b"{\\rtf": gettext_lazy("a text document (.rtf)"),
}
# In any encoding, without the zeros of those of two bytes. Portals call a web page “Excel”.
_TEXTS = {
    rb"<(!doctype|html|head|body|meta|style|table|div)\b": gettext_lazy("a web page"),
    rb"<\?xml\b": gettext_lazy("an XML document"),
    rb"begin:vcard\b": gettext_lazy("a file of contact cards (vCard)"),
    rb"[\[{]\s*[\"\[{]": gettext_lazy("JSON"),
}
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")  # the part of an OLE file that such a workbook lies in
_DIRECTORY = 4096  # bytes of the list of parts that are looked at: 32 parts


def refuse(path: Path, head: bytes) -> None:
    """UnreadableFile that names what the file is, if it begins like no list."""
    if head and not head.strip(b"\0"):
        raise UnreadableFile(_("The file holds nothing but zeros: it is damaged. Export it again."))
    if head.startswith(_OLE) and _ENCRYPTED in head + _directory(path, head):
        raise UnreadableFile(_("This is a workbook with a password. Take the password off and save it again."))
    text = head[:1000].lstrip(BLANK).replace(b"\0", b"").lower()
    kinds = [kind for magic, kind in _BINARY.items() if head.startswith(magic)]
    kinds += [kind for begins, kind in _TEXTS.items() if re.match(begins, text)]
    if kinds:
        said = _("This is %(kind)s, not a list of contacts. Save the list as CSV or XLSX.")
        raise UnreadableFile(said % {"kind": kinds[0]})


def _directory(path: Path, head: bytes) -> bytes:
    """Where an OLE file's header says that the list of its parts begins."""
    size = 1 << min(int.from_bytes(head[30:32], "little"), 16)
    with path.open("rb") as file:
        begins = (int.from_bytes(head[48:52], "little") + 1) * size
        file.seek(min(begins, path.stat().st_size))  # what was cut off says a place that no file system has
        return file.read(_DIRECTORY)
