"""Images and labels in IDX files, plain or gzipped (the format of LeCun, Cortes & Burges' MNIST page).

A file is ``00 00 type dims``, then each dimension as a big-endian uint32, then the values. MNIST, Fashion-MNIST and
KMNIST use these names; EMNIST puts a prefix such as ``emnist-letters-`` before them.
"""

from __future__ import annotations

import gzip
import math
import re
import struct
import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from io import BufferedReader
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from engine.data.dataset import FLOAT_BYTES, Dataset, require_memory
from engine.data.sampling import balanced_order
from engine.errors import DataError
from engine.events import Progress
from engine.specs import IdxSpec

CHUNK = 1 << 20  # bytes handled between two yields, some 10 ms
UNSIGNED_BYTE = 0x08
GZIP_MAGIC = b"\x1f\x8b"
LARGEST_GZIP_RATIO = 1032  # deflate cannot pack more densely, so a header that promises more is wrong

_NAME = re.compile(
    r"(?P<prefix>.*?)(?P<split>train|t10k|test)-(?P<what>images[-.]idx[34]|labels[-.]idx1)-ubyte(?P<packed>\.gz)?",
    re.IGNORECASE,
)
_NEEDS = (
    "train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte "
    "(t10k may be called test; each may end in .gz)"
)
_LIMIT_REMEDY = "Set a limit for the training samples or the test samples in the Data step."

_TYPE_NAMES = {0x09: "signed bytes", 0x0B: "shorts", 0x0C: "ints", 0x0D: "floats", 0x0E: "doubles"}


@dataclass(frozen=True)
class IdxFiles:
    """The four files of one data set."""

    train_images: Path
    train_labels: Path
    test_images: Path
    test_labels: Path

    def signature(self) -> tuple[tuple[str, int, int], ...]:
        """Path, size and modification time of each file: what a cached copy of the data depends on."""
        try:
            stats = [(path, path.stat()) for path in astuple(self)]
        except OSError as error:
            raise _unreadable(Path(str(error.filename)), error) from error
        return tuple((str(path), stat.st_size, stat.st_mtime_ns) for path, stat in stats)


def find_idx(folder: str) -> IdxFiles:
    """The four IDX files in a folder; DataError, naming the files looked for, where they are not all there."""
    if not folder.strip():
        raise DataError(
            f"No folder of IDX files is set. Set Folder in the Data step (dataset.folder in a spec file). It needs {_NEEDS}."
        )
    place = Path(folder).expanduser()
    if not place.is_dir():
        what = "is a file, not a folder" if place.exists() else "does not exist"
        raise DataError(
            f"The IDX data folder {place} {what}. Set Folder in the Data step to the folder that holds {_NEEDS}."
        )
    try:
        entries = sorted(path for path in place.iterdir() if path.is_file())
    except OSError as error:
        raise _unreadable(place, error) from error

    named = [(path, match) for path in entries if (match := _NAME.fullmatch(path.name))]
    prefixes = sorted({match["prefix"].lower() for _, match in named})
    if len(prefixes) > 1 and "" not in prefixes:
        raise DataError(
            f"The folder {place} holds several data sets ({', '.join(prefixes)}). "
            "Put the four files of the one you want into a folder of their own and choose that."
        )
    wanted = "" if not prefixes or "" in prefixes else prefixes[0]

    found: dict[str, Path] = {}
    # where a file is there twice: t10k before test, the plain one before the gzipped one
    for path, match in sorted(named, key=lambda item: (item[1]["split"].lower() == "test", bool(item[1]["packed"]))):
        if match["prefix"].lower() == wanted:
            split = "train" if match["split"].lower() == "train" else "test"
            found.setdefault(f"{split}_{match['what'][:6].lower()}", path)
    roles = {
        "train_images": "train-images-idx3-ubyte",
        "train_labels": "train-labels-idx1-ubyte",
        "test_images": "t10k-images-idx3-ubyte or test-images-idx3-ubyte",
        "test_labels": "t10k-labels-idx1-ubyte or test-labels-idx1-ubyte",
    }
    missing = [name for role, name in roles.items() if role not in found]
    if missing:
        raise DataError(
            f"In the folder {place} there is no {'; no '.join(missing)} (plain or .gz). "
            f"Add what is missing, or set Folder in the Data step to the folder that holds {_NEEDS}."
        )
    return IdxFiles(**found)


@dataclass(frozen=True, eq=False)
class IdxBytes:
    """What the four files hold, as they hold it: uint8 images ``[N, H, W]`` or ``[N, H, W, C]`` and labels ``[N]``."""

    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray

    @property
    def nbytes(self) -> int:
        """Memory that they take."""
        return self.train_images.nbytes + self.train_labels.nbytes + self.test_images.nbytes + self.test_labels.nbytes


def read_files(files: IdxFiles) -> Generator[Progress, None, IdxBytes]:
    """Read the four files. Raises DataError for those that are cut off, corrupted, not IDX, empty, or do not fit together."""
    raw_train, labels_train = yield from _pair(files.train_images, files.train_labels)
    raw_test, labels_test = yield from _pair(files.test_images, files.test_labels)
    if raw_train.shape[1:] != raw_test.shape[1:]:
        raise DataError(
            f"{files.train_images} has images of {_size(raw_train)}, but {files.test_images} has {_size(raw_test)}. "
            "Training and test images must have one size: put files of one data set together."
        )
    return IdxBytes(raw_train, labels_train, raw_test, labels_test)


def load_idx(
    spec: IdxSpec, seed: int, files: IdxFiles, held: IdxBytes | None = None
) -> Generator[Progress, None, Dataset]:
    """Images ``[N, C, H, W]`` in [0, 1] of any one size. Labels that have gaps are numbered anew, in order.

    A limit takes a random subset that is balanced over the classes; nothing else depends on the seed. ``held`` is what
    :func:`read_files` gave, where it is in memory. Raises DataError as that does, and for samples of one class alone.
    """
    if held is None:
        held = yield from read_files(files)
    raw_train, labels_train, raw_test, labels_test = (
        held.train_images,
        held.train_labels,
        held.test_images,
        held.test_labels,
    )
    values = np.union1d(labels_train, labels_test)
    keep_train = _subset(labels_train, spec.train_limit, seed, "train subset")
    keep_test = _subset(labels_test, spec.test_limit, seed, "test subset")
    y_train, y_test = (
        torch.from_numpy(np.searchsorted(values, labels[keep.numpy()]))
        for labels, keep in ((labels_train, keep_train), (labels_test, keep_test))
    )
    if len(torch.unique(y_train)) < 2:
        raise DataError(
            f"The training samples of {files.train_labels} are all of one class, so there is nothing to tell apart. "
            "Use data of two classes or more"
            + (", or a higher limit of training samples." if spec.train_limit else ".")
        )
    pixels = math.prod(raw_train.shape[1:])
    require_memory((len(keep_train) + len(keep_test)) * pixels, f"The data in {spec.folder}", _LIMIT_REMEDY)
    x_train = yield from _floats(raw_train, keep_train, "Converting training images")
    x_test = yield from _floats(raw_test, keep_test, "Converting test images")
    return Dataset(
        name=files.train_images.resolve().parent.name,
        x_train=x_train,
        y_train=y_train,
        x_test=x_test,
        y_test=y_test,
        classes=tuple(str(value) for value in values),
        bounds=(0.0, 1.0),
    )


def read_idx(path: Path, dims: tuple[int, ...]) -> Generator[Progress, None, np.ndarray]:
    """One IDX file of unsigned bytes whose number of dimensions is among ``dims``, as uint8 of its own shape."""
    with _opened(path) as (file, packed):
        shape = _header(file, path, dims)
        header, total = 4 + 4 * len(shape), math.prod(shape)
        if total == 0:
            raise DataError(
                f"{path} is empty: its header promises {' x '.join(map(str, shape))} values. Choose a data set with samples in it."
            )
        stored = path.stat().st_size
        if not packed and stored < header + total:
            raise _cut_off(path, header + total, stored, packed)
        if packed and header + total > stored * LARGEST_GZIP_RATIO:
            raise DataError(
                f"{path} is damaged: its header promises {header + total:,} bytes, more than {stored:,} gzipped bytes "
                "can hold. Download the file again."
            )
        require_memory(total // FLOAT_BYTES, str(path), _LIMIT_REMEDY)
        data = np.empty(total, np.uint8)
        done = reported = 0
        yield Progress(0, total, f"Reading {path.name}")
        while done < total:
            chunk = _read(file, min(CHUNK, total - done), path)
            if not chunk:
                raise _cut_off(path, header + total, header + done, packed)
            data[done : done + len(chunk)] = np.frombuffer(chunk, np.uint8)
            done += len(chunk)
            if done - reported >= CHUNK:
                reported = done
                yield Progress(done, total, f"Reading {path.name}")
        # reading on to the end also makes gzip check its checksum
        if _read(file, 1, path, at_end=True):
            raise DataError(
                f"{path} goes on after the {header + total:,} bytes that its header promises, so it is damaged or "
                "not what its name says. Download the file again."
            )
        yield Progress(total, total, f"Reading {path.name}")
    return data.reshape(shape)


def _pair(images: Path, labels: Path) -> Generator[Progress, None, tuple[np.ndarray, np.ndarray]]:
    y = yield from read_idx(labels, (1,))
    raw = yield from read_idx(images, (3, 4))
    if len(raw) != len(y):
        raise DataError(
            f"{images} has {len(raw):,} images, but {labels} has {len(y):,} labels. "
            "There must be one label for each image: put files of one data set together."
        )
    return raw, y


def _header(file: BufferedReader | gzip.GzipFile, path: Path, dims: tuple[int, ...]) -> tuple[int, ...]:
    wanted = " or ".join(f"00 00 08 {n:02x}" for n in dims)
    magic = _exactly(file, 4, path, read_before=0, needed=4 + 4 * min(dims))
    if magic[:2] == b"\0\0" and magic[2] in _TYPE_NAMES and magic[3] in dims:
        raise DataError(
            f"{path} holds {_TYPE_NAMES[magic[2]]}; only IDX files of unsigned bytes (type 08) can be used."
        )
    if magic[:3] != bytes((0, 0, UNSIGNED_BYTE)) or magic[3] not in dims:
        raise DataError(
            f"{path} is not the IDX file that its name promises: it begins with {magic.hex(' ')} instead of {wanted}. "
            "Download the file again, or choose another folder."
        )
    sizes = _exactly(file, 4 * magic[3], path, read_before=4, needed=4 + 4 * magic[3])
    return struct.unpack(f">{magic[3]}I", sizes)


@contextmanager
def _opened(path: Path) -> Iterator[tuple[BufferedReader | gzip.GzipFile, bool]]:
    """The file and whether it is gzipped. What counts is the content: browsers unpack files and keep the name."""
    try:
        raw = path.open("rb")
    except OSError as error:
        raise _unreadable(path, error) from error
    with raw:
        packed = raw.peek(2)[:2] == GZIP_MAGIC
        if not packed:
            yield raw, False
            return
        with gzip.GzipFile(fileobj=raw) as unpacked:
            yield unpacked, True


def _read(file: BufferedReader | gzip.GzipFile, size: int, path: Path, *, at_end: bool = False) -> bytes:
    """At most ``size`` bytes; none where the file ends."""
    try:
        return file.read1(size)
    except EOFError as error:
        if not at_end:
            return b""  # the caller knows how many bytes are lacking
        raise DataError(f"{path} is cut off: the end of its gzip data is missing. Download the file again.") from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise DataError(
            f"{path} is damaged: its gzip data cannot be unpacked ({error}). Download the file again."
        ) from error
    except OSError as error:
        raise _unreadable(path, error) from error


def _exactly(file: BufferedReader | gzip.GzipFile, size: int, path: Path, *, read_before: int, needed: int) -> bytes:
    got = b""
    while len(got) < size:
        chunk = _read(file, size - len(got), path)
        if not chunk:
            raise _cut_off(path, needed, read_before + len(got), isinstance(file, gzip.GzipFile), header=True)
        got += chunk
    return got


def _cut_off(path: Path, expected: int, actual: int, packed: bool, *, header: bool = False) -> DataError:
    unpacked = " unpacked" if packed else ""
    least = "at least " if header else ""
    return DataError(
        f"{path} is cut off: it should hold {least}{expected:,} bytes{unpacked}, but ends after {actual:,}. "
        "Download the file again."
    )


def _unreadable(path: Path, error: OSError) -> DataError:
    return DataError(
        f"{path} cannot be read: {error.strerror or error}. Check that it is there and that you may read it."
    )


def _size(raw: np.ndarray) -> str:
    return " x ".join(map(str, raw.shape[1:]))


def _subset(labels: np.ndarray, limit: int, seed: int, purpose: str) -> Tensor:
    if limit == 0 or limit >= len(labels):
        return torch.arange(len(labels))
    return balanced_order(torch.from_numpy(labels.astype(np.int64)), seed, purpose)[:limit].sort().values


def _floats(raw: np.ndarray, keep: Tensor, text: str) -> Generator[Progress, None, Tensor]:
    """Bytes ``[N, H, W]`` or ``[N, H, W, C]`` to float32 ``[len(keep), C, H, W]`` in [0, 1]."""
    n = len(keep)
    height, width = raw.shape[1:3]
    channels = raw.shape[3] if raw.ndim == 4 else 1
    x = torch.empty(n, channels, height, width)
    rows = max(1, CHUNK // (height * width * channels))
    for start in range(0, n, rows):
        yield Progress(start, n, text)
        part = torch.from_numpy(raw[keep[start : start + rows].numpy()])
        x[start : start + rows] = part.reshape(-1, height, width, channels).permute(0, 3, 1, 2)
        x[start : start + rows] /= 255
    return x
