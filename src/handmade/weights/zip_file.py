"""Zip archives, in which torch.save and NumPy keep arrays: what Python's reader does not check, and what it raises."""

import struct
import zipfile
import zlib
from contextlib import contextmanager

from handmade.errors import InputError
from handmade.weights.pickle_reader import shown


def zip_entries(archive: zipfile.ZipFile, source: str) -> list[zipfile.ZipInfo]:
    """The entries of an archive. InputError unless they are as many as its end record says, each of a name of its own.

    Python's zip reader believes the lengths in the directory: a damaged one may swallow the next entry, silently.
    """
    entries = archive.infolist()
    promised = _promised_entries(archive)
    if len(entries) != promised:
        raise InputError(f"{source} is a damaged zip archive: it promises {promised} entries and has {len(entries)}")
    if len({entry.filename for entry in entries}) != promised:
        raise InputError(f"{source} is a damaged zip archive: two of its entries have one name")
    return entries


END_RECORD, END_RECORD_64 = b"PK\x05\x06", b"PK\x06\x06"


def _promised_entries(archive: zipfile.ZipFile) -> int:
    """The number of entries in the end record (APPNOTE of PKWARE, 4.3.14 and 4.3.16): after the directory."""
    assert archive.fp is not None
    archive.fp.seek(archive.start_dir)
    directory = archive.fp.read()
    end = directory.rfind(END_RECORD)
    (count,) = struct.unpack_from("<H", directory, end + 10)
    large = directory.rfind(END_RECORD_64)
    if large >= 0:
        (count,) = struct.unpack_from("<Q", directory, large + 32)
    return count


@contextmanager
def damage_reported(source: str):
    """Turn what Python's zip reader raises on a damaged archive into one clear sentence."""
    try:
        yield
    except InputError:
        raise
    except (
        zipfile.BadZipFile,
        NotImplementedError,  # a compression or a version unknown to Python
        RuntimeError,  # an encrypted entry
        EOFError,
        OSError,
        LookupError,
        ValueError,
        OverflowError,
        struct.error,
        zlib.error,
    ) as error:
        raise InputError(f"{source} is a damaged zip archive: {shown(str(error))}") from None
