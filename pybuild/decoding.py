"""Bytes of an author's file as text.

Owns the one reading of UTF-8: byte order mark, line ends, and where a byte is wrong; and the quick reading of small
files. Knows no format.
Source: RFC 3629; The Unicode Standard §23.8 (byte order mark).
"""

from __future__ import annotations

from pybuild.diagnostics import Diagnostic, Location


def read(file: str) -> bytes:
    """The bytes of a file, read in one go: of many small files, opening them costs most. Raises `OSError`."""
    with open(file, "rb", buffering=0) as stream:  # noqa: PTH123 - Path costs more than reading
        return stream.read()


def decode(data: bytes, file: str) -> tuple[str, tuple[Diagnostic, ...]]:
    r"""Read bytes as UTF-8, drop a byte order mark and turn `\r\n` and `\r` into `\n`.

    Codes: `encoding-error`, also for NUL, with the byte's offset and line.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        return "", (_encoding_error(data, _offset(fault, data), file),)
    if "\0" in text:
        return "", (_encoding_error(data, data.index(0), file),)
    return text.replace("\r\n", "\n").replace("\r", "\n"), ()


def _offset(fault: UnicodeDecodeError, data: bytes) -> int:
    """The codec counts from behind the byte order mark."""
    return fault.start + (len(data) - len(fault.object))


def _encoding_error(data: bytes, offset: int, file: str) -> Diagnostic:
    before = data[:offset].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    line = before.count(b"\n") + 1
    said = f"(0x{data[offset]:02x}) is not UTF-8 text" if data[offset] else "is zero, which no text holds"
    message = f"byte {offset} {said}"
    wide = data[:2] in (b"\xff\xfe", b"\xfe\xff")
    hint = "it looks like UTF-16: save the file as UTF-8" if wide else "save the file as UTF-8"
    return Diagnostic("encoding-error", message, Location(file, line), hint)
