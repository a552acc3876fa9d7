"""Pictures as a request holds them: the spellings that RFC 2397 and RFC 4648 allow, and what a file turns out to be."""

from __future__ import annotations

import re
from binascii import a2b_base64
from typing import Final, NamedTuple
from urllib.parse import unquote

_URL: Final = re.compile(r"https?://", re.IGNORECASE)

#: Characters of Base64 that make a whole number of bytes.
_QUANTUM: Final = 4


class DataUrl(NamedTuple):
    """A data: URL: its media type, in small letters, what follows that, and its data."""

    type: str
    parameters: str
    data: str

    @classmethod
    def of(cls, text: str) -> DataUrl | None:
        """The data: URL that a text is, in any case (RFC 2397), or None."""
        head, comma, data = text.partition(",")
        if not comma or head[:5].casefold() != "data:":
            return None
        kind, _, parameters = head[5:].casefold().partition(";")
        return cls(kind, parameters, data)

    @property
    def is_base64(self) -> bool:
        """Its data is Base64, by its last parameter."""
        return self.parameters.rpartition(";")[2] == "base64"


def is_url(text: str) -> bool:
    """The text is a URL of http or https, in any case (RFC 3986, 3.1)."""
    return bool(_URL.match(text))


def decoded(text: str) -> bytes | None:
    """The file in a text of Base64, alone or as a data: URL: line breaks and missing padding are taken. Or None."""
    url = DataUrl.of(text)
    written = unquote(url.data) if url and "%" in url.data else url.data if url else text
    bare = written.translate(_NO_BREAKS) if "\n" in written or "\r" in written else written
    try:
        return a2b_base64(bare + "=" * (-len(bare) % _QUANTUM))
    except ValueError:
        return None


_NO_BREAKS: Final = {ord("\r"): None, ord("\n"): None}

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_JPEG: Final = b"\xff\xd8\xff"

#: How pictures begin that every reader of pictures knows.
PICTURES: Final = (_PNG, _JPEG, b"GIF87a", b"GIF89a", b"BM", b"II*\0", b"MM\0*")


def is_picture(file: bytes) -> bool:
    """The file begins as PNG, JPEG, GIF, WebP, BMP or TIFF do."""
    return file.startswith(PICTURES) or is_webp(file)


def is_webp(file: bytes) -> bool:
    """The file begins as WebP does."""
    return file[:4] == b"RIFF" and file[8:12] == b"WEBP"


def is_cut_short(file: bytes) -> bool:
    """A picture whose end is missing, where the end is known by a mark or by a length."""
    if file.startswith(_PNG):
        return b"IEND" not in file
    if file.startswith(_JPEG):
        return b"\xff\xd9" not in file
    return is_webp(file) and int.from_bytes(file[4:8], "little") + 8 > len(file)


def is_without_size(file: bytes) -> bool:
    """A PNG or a GIF of no width or no height."""
    if file.startswith(_PNG):
        return b"\0\0\0\0" in (file[16:20], file[20:24])
    return file.startswith(b"GIF8") and b"\0\0" in (file[6:8], file[8:10])


#: The brands of files that phones and browsers write, and few tools read.
_BRANDS: Final = frozenset({b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1", b"avif", b"avis"})


def is_heif(file: bytes) -> bool:
    """A HEIC or AVIF picture."""
    return file[4:8] == b"ftyp" and file[8:12] in _BRANDS


def is_video(file: bytes) -> bool:
    """An MP4, MOV, WebM or Matroska file."""
    return (file[4:8] == b"ftyp" and not is_heif(file)) or file.startswith(b"\x1a\x45\xdf\xa3")


def is_text(file: bytes) -> bool:
    """Nothing but characters that people write."""
    try:
        return file.decode().translate(_WHITE).isprintable()
    except UnicodeDecodeError:
        return False


_WHITE: Final = {ord(character): None for character in "\r\n\t\ufeff"}
