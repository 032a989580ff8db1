"""Files that are written whole or not at all: half a table looks like a table."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.errors import ReportError


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """The path to write to, which takes the place of ``path`` once it is written.

    Raises:
        ReportError: it cannot be written; what was at ``path`` is as it was.
    """
    fresh = path.with_name(f".{path.name[:100]}.{secrets.token_hex(6)}.new")
    try:
        yield fresh
        fresh.replace(path)
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else str(error)
        raise ReportError(f"{path} could not be written: {why}. Choose another folder.") from error
    finally:
        with contextlib.suppress(OSError):
            fresh.unlink()
