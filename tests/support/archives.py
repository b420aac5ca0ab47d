"""Archives made in memory."""

import io
import tarfile


def tar(members: dict[str, bytes], kind: str = "", **options) -> bytes:
    """A tar archive of files by name, packed by `kind`: "gz", "bz2", "xz", or not at all. options: of the packer."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=f"w:{kind}", **options) as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()
