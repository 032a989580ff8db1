"""IDX files: every name and kind that is in use is read; every fault is named in a sentence."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from idx_files import idx_bytes, write_idx, write_idx_folder

from engine.data import Dataset, drain, idx, load
from engine.errors import DataError
from engine.events import Progress
from engine.specs import IdxSpec


def read(folder: Path, seed: int = 0, **fields: int) -> Dataset:
    return drain(load(IdxSpec(folder=str(folder), **fields), seed))


def fault(folder: Path | str, **fields: int) -> str:
    with pytest.raises(DataError) as caught:
        drain(load(IdxSpec(folder=str(folder), **fields), 0))
    return str(caught.value)


@pytest.mark.parametrize("name", ["{split}-{what}-idx{dims}-ubyte", "{split}-{what}.idx{dims}-ubyte"])
@pytest.mark.parametrize("packed", ["", ".gz"])
@pytest.mark.parametrize("test_split", ["t10k", "test"])
def test_every_usual_file_name_is_read(tmp_path: Path, name: str, packed: str, test_split: str) -> None:
    arrays = write_idx_folder(tmp_path, name=name + packed, test_split=test_split)
    dataset = read(tmp_path)
    for side, x, y in (("train", dataset.x_train, dataset.y_train), ("test", dataset.x_test, dataset.y_test)):
        assert x.dtype == torch.float32 and y.dtype == torch.int64
        assert torch.equal(x[:, 0], torch.from_numpy(arrays[f"x_{side}"].astype(np.float32) / np.float32(255)))
        assert y.tolist() == arrays[f"y_{side}"].tolist()
    assert dataset.input_shape == (1, 5, 4) and dataset.is_image and dataset.bounds == (0.0, 1.0)
    assert dataset.classes == ("0", "1", "2") and dataset.n_classes == 3
    assert dataset.name == tmp_path.name


def test_colour_images_put_the_channels_first(tmp_path: Path) -> None:
    arrays = write_idx_folder(tmp_path, size=(7, 5, 3))
    dataset = read(tmp_path)
    assert dataset.input_shape == (3, 7, 5)
    x = arrays["x_train"]
    assert dataset.x_train[2, 1, 6, 4].item() == np.float32(x[2, 6, 4, 1]) / np.float32(255)
    assert torch.equal(dataset.x_train, torch.from_numpy(x.transpose(0, 3, 1, 2).astype(np.float32) / np.float32(255)))


def test_prefixed_names_and_labels_with_gaps_are_read_as_emnist_has_them(tmp_path: Path) -> None:
    arrays = write_idx_folder(tmp_path, name="emnist-letters-{split}-{what}-idx{dims}-ubyte.gz", test_split="test")
    for split, side in (("train", "train"), ("test", "test")):
        labels = np.array([1, 5, 26])[arrays[f"y_{side}"]]
        write_idx(tmp_path / f"emnist-letters-{split}-labels-idx1-ubyte.gz", labels)
    dataset = read(tmp_path)
    assert dataset.classes == ("1", "5", "26")
    assert dataset.y_train.tolist() == arrays["y_train"].tolist()


def test_several_data_sets_in_one_folder_are_not_mixed_up(tmp_path: Path) -> None:
    for prefix in ("emnist-digits-", "emnist-letters-"):
        write_idx_folder(tmp_path, name=prefix + "{split}-{what}-idx{dims}-ubyte")
    message = fault(tmp_path)
    assert "emnist-digits-" in message and "emnist-letters-" in message and "folder of their own" in message


def test_content_counts_where_a_name_and_its_packing_disagree(tmp_path: Path) -> None:
    arrays = write_idx_folder(tmp_path)
    plain = tmp_path / "train-images-idx3-ubyte"
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(plain.read_bytes())
    plain.unlink()
    labels = tmp_path / "train-labels-idx1-ubyte"
    labels.write_bytes(gzip.compress(labels.read_bytes()))
    assert read(tmp_path).y_train.tolist() == arrays["y_train"].tolist()


def test_a_plain_file_is_preferred_to_its_gzipped_copy(tmp_path: Path) -> None:
    arrays = write_idx_folder(tmp_path)
    write_idx(tmp_path / "train-labels-idx1-ubyte.gz", 2 - arrays["y_train"])
    assert read(tmp_path).y_train.tolist() == arrays["y_train"].tolist()


def test_a_limit_takes_a_balanced_subset_that_the_seed_decides(tmp_path: Path) -> None:
    arrays = write_idx_folder(tmp_path, train=90, test=30)
    some = read(tmp_path, train_limit=10, test_limit=6)
    assert sorted(some.y_train.bincount().tolist()) == [3, 3, 4] and some.y_test.bincount().tolist() == [2, 2, 2]
    pool = {image.tobytes(): int(label) for image, label in zip(arrays["x_train"], arrays["y_train"], strict=True)}
    for image, label in zip(some.x_train, some.y_train, strict=True):
        assert pool[(image[0] * 255).round().to(torch.uint8).numpy().tobytes()] == label
    other = read(tmp_path, seed=1, train_limit=10, test_limit=6)
    again = read(tmp_path, seed=0, train_limit=10, test_limit=6)
    assert torch.equal(some.x_train, again.x_train) and not torch.equal(some.x_train, other.x_train)
    assert len(read(tmp_path, train_limit=1000).x_train) == 90


def test_no_folder_says_where_to_set_it_and_what_it_needs() -> None:
    message = fault("")
    assert "Data step" in message and "dataset.folder" in message and "train-images-idx3-ubyte" in message


def test_a_folder_that_is_not_there_or_is_a_file_is_named(tmp_path: Path) -> None:
    assert str(tmp_path / "nowhere") in fault(tmp_path / "nowhere") and "does not exist" in fault(tmp_path / "nowhere")
    (tmp_path / "file").write_text("")
    assert "is a file, not a folder" in fault(tmp_path / "file")


@pytest.mark.parametrize(
    ("name", "looked_for"),
    [
        ("train-images-idx3-ubyte", "train-images-idx3-ubyte"),
        ("train-labels-idx1-ubyte", "train-labels-idx1-ubyte"),
        ("t10k-images-idx3-ubyte", "t10k-images-idx3-ubyte or test-images-idx3-ubyte"),
        ("t10k-labels-idx1-ubyte", "t10k-labels-idx1-ubyte or test-labels-idx1-ubyte"),
    ],
)
def test_a_missing_file_is_named_and_only_that(tmp_path: Path, name: str, looked_for: str) -> None:
    write_idx_folder(tmp_path)
    (tmp_path / name).unlink()
    message = fault(tmp_path)
    assert f"there is no {looked_for} (plain or .gz)" in message and str(tmp_path) in message


def test_a_wrong_magic_number_is_shown(tmp_path: Path) -> None:
    write_idx_folder(tmp_path)
    (tmp_path / "train-images-idx3-ubyte").write_bytes(b"<!DOCTYPE html>not found")
    message = fault(tmp_path)
    assert "train-images-idx3-ubyte" in message and "3c 21 44 4f" in message and "00 00 08 03" in message


def test_images_where_labels_should_be_are_refused(tmp_path: Path) -> None:
    arrays = write_idx_folder(tmp_path)
    write_idx(tmp_path / "train-labels-idx1-ubyte", arrays["x_train"])
    assert "begins with 00 00 08 03 instead of 00 00 08 01" in fault(tmp_path)


def test_values_other_than_unsigned_bytes_are_refused_by_name(tmp_path: Path) -> None:
    write_idx_folder(tmp_path)
    (tmp_path / "train-images-idx3-ubyte").write_bytes(struct.pack(">4B3If", 0, 0, 0x0D, 3, 1, 1, 1, 0.5))
    assert "holds floats" in fault(tmp_path)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("kept", [0, 3, 9, 100])
def test_a_cut_off_file_says_how_many_bytes_it_should_have(tmp_path: Path, packed: bool, kept: int) -> None:
    arrays = write_idx_folder(tmp_path)
    part = idx_bytes(arrays["x_train"])[:kept]
    (tmp_path / "train-images-idx3-ubyte").write_bytes(gzip.compress(part) if packed else part)
    message = fault(tmp_path)
    expected = {0: "at least 16", 3: "at least 16", 9: "at least 16", 100: f"{16 + 12 * 20}"}[kept]
    assert f"should hold {expected} bytes" in message and f"ends after {kept}." in message
    assert "Download the file again" in message


@pytest.mark.parametrize("lost", [1, 8, 500])
def test_a_gzip_file_cut_off_in_download_is_found(tmp_path: Path, lost: int) -> None:
    write_idx_folder(tmp_path, name="{split}-{what}-idx{dims}-ubyte.gz", size=(28, 28))
    path = tmp_path / "train-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-lost])
    message = fault(tmp_path)
    assert "is cut off" in message and "Download the file again" in message


def test_a_corrupted_gzip_file_is_found(tmp_path: Path) -> None:
    write_idx_folder(tmp_path, name="{split}-{what}-idx{dims}-ubyte.gz", size=(28, 28))
    path = tmp_path / "train-images-idx3-ubyte.gz"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF  # within stored bytes: only the checksum tells
    path.write_bytes(content)
    message = fault(tmp_path)
    assert "is damaged" in message and "train-images-idx3-ubyte.gz" in message
    path.write_bytes(content[:10] + b"\xff" * 200)  # not deflate data at all
    assert "is damaged" in fault(tmp_path)


def test_a_header_that_promises_the_impossible_is_refused_without_taking_memory(tmp_path: Path) -> None:
    write_idx_folder(tmp_path)
    lie = bytes((0, 0, 8, 3)) + struct.pack(">3I", 2**32 - 1, 2**32 - 1, 2**32 - 1) + b"data"
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(gzip.compress(lie))
    assert "its header promises" in fault(tmp_path)
    path.write_bytes(lie)
    assert "is cut off" in fault(tmp_path)


def test_bytes_after_the_last_value_are_refused(tmp_path: Path) -> None:
    write_idx_folder(tmp_path)
    path = tmp_path / "train-labels-idx1-ubyte"
    path.write_bytes(path.read_bytes() + b"x")
    assert "goes on after the 20 bytes" in fault(tmp_path)


def test_labels_that_do_not_match_the_images_are_counted(tmp_path: Path) -> None:
    arrays = write_idx_folder(tmp_path)
    write_idx(tmp_path / "train-labels-idx1-ubyte", arrays["y_train"][:-1])
    message = fault(tmp_path)
    assert "has 12 images" in message and "has 11 labels" in message


@pytest.mark.parametrize("empty", ["train", "test"])
def test_an_empty_set_is_refused(tmp_path: Path, empty: str) -> None:
    write_idx_folder(tmp_path, **{empty: 0})
    assert "is empty" in fault(tmp_path)


def test_a_single_class_is_refused(tmp_path: Path) -> None:
    write_idx_folder(tmp_path, classes=1)
    assert "all of one class" in fault(tmp_path)
    write_idx_folder(tmp_path / "more")
    assert "higher limit" in fault(tmp_path / "more", train_limit=1)


def test_training_and_test_images_of_different_sizes_are_refused(tmp_path: Path) -> None:
    write_idx_folder(tmp_path)
    write_idx(tmp_path / "t10k-images-idx3-ubyte", np.zeros((6, 4, 5)))
    message = fault(tmp_path)
    assert "5 x 4" in message and "4 x 5" in message


def test_a_file_that_may_not_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_idx_folder(tmp_path)
    opened = Path.open

    def refuse(path: Path, *args: object, **kwargs: object) -> object:
        if path.name == "t10k-labels-idx1-ubyte":
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, *args, **kwargs)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", refuse)
    message = fault(tmp_path)
    assert "t10k-labels-idx1-ubyte cannot be read: Permission denied" in message


def test_the_work_between_two_yields_is_small(tmp_path: Path) -> None:
    for packed in ("", ".gz"):
        path = tmp_path / f"train-images-idx3-ubyte{packed}"
        write_idx(path, np.random.default_rng(0).integers(0, 256, (10_000, 28, 28)))
        done = [event.done for event in idx.read_idx(path, (3,)) if isinstance(event, Progress)]
        assert done[-1] == 7_840_000
        assert max(np.diff(done)) < 2.5 * 2**20


def test_loading_that_is_closed_half_way_leaves_nothing_in_the_cache(tmp_path: Path) -> None:
    arrays = write_idx_folder(tmp_path)
    loading = load(IdxSpec(folder=str(tmp_path)), 0)
    next(loading)
    loading.close()
    assert read(tmp_path).y_train.tolist() == arrays["y_train"].tolist()


@pytest.mark.mnist
def test_real_mnist_is_read(mnist_folder: Path) -> None:
    dataset = read(mnist_folder)
    assert dataset.x_train.shape == (60_000, 1, 28, 28) and dataset.x_test.shape == (10_000, 1, 28, 28)
    # the class counts of LeCun, Cortes & Burges' files, and the mean and deviation that everyone normalises with
    assert dataset.y_train.bincount().tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert dataset.y_test.bincount().tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert dataset.y_train[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert dataset.x_train.mean().item() == pytest.approx(0.1307, abs=5e-5)
    assert dataset.x_train.min() == 0 and dataset.x_train.max() == 1
