import numpy as np
import pytest
from PIL import Image

from handmade.data import DataLoader, ImageFolder, ImageSet, Resize, channel_statistics, load
from handmade.errors import InputError


def test_image_set(rng):
    images = rng.integers(0, 256, (6, 3, 4, 5), np.uint8)
    labels = np.array([0, 1, 1, 0, 2, 2])
    dataset = ImageSet(images, labels, ("a", "b", "c"))
    assert len(dataset) == 6
    some, their = dataset.batch(np.array([4, 0]))
    np.testing.assert_array_equal(some, images[[4, 0]])
    assert their.tolist() == [2, 0]


@pytest.mark.parametrize(
    ("images", "labels", "match"),
    [
        (
            np.zeros((2, 4, 5), np.uint8),
            np.array([0, 1]),
            r"images are uint8 of shape \(2, 4, 5\), expected uint8 \(N, C",
        ),
        (np.zeros((2, 1, 4, 5)), np.array([0, 1]), "images are float64 of shape"),
        (
            np.zeros((2, 1, 4, 5), np.uint8),
            np.array([0]),
            r"labels are int64 of shape \(1,\), expected int64 of shape \(2",
        ),
        (np.zeros((2, 1, 4, 5), np.uint8), np.array([0, 1], np.int32), "labels are int32"),
        (np.zeros((2, 1, 4, 5), np.uint8), np.array([0, 2]), "labels go from 0 to 2, expected 0 to 1 for 2 classes"),
        (np.zeros((2, 1, 4, 5), np.uint8), np.array([-1, 1]), "labels go from -1 to 1"),
    ],
)
def test_arrays_that_do_not_fit(images, labels, match):
    with pytest.raises(ValueError, match=match):
        ImageSet(images, labels, ("a", "b"))


def test_channel_statistics(rng):
    images = rng.integers(0, 256, (2300, 3, 3, 2), np.uint8)
    mean, std = channel_statistics(images)
    np.testing.assert_allclose(mean, (images / 255).mean((0, 2, 3)), rtol=1e-12)
    np.testing.assert_allclose(std, (images / 255).std((0, 2, 3)), rtol=1e-12)


@pytest.fixture
def folder(tmp_path):
    """Two classes; in each, pictures whose red says which one it is."""
    for split, count in (("train", 3), ("test", 2)):
        for label, name in enumerate(("cat", "dog")):
            (tmp_path / split / name).mkdir(parents=True)
            for number in range(count):
                red = 100 * label + number
                Image.new("RGB", (6, 4), (red, 0, 0)).save(tmp_path / split / name / f"{number}.png")
    (tmp_path / "train/cat/notes.txt").write_text("not an image")
    return tmp_path


def test_folder(folder):
    train, test = load(f"folder:{folder}"), load(f"folder:{folder}", "test")
    assert (len(train), len(test)) == (6, 4)
    assert list(train.classes) == list(test.classes) == ["cat", "dog"]
    assert train.labels.tolist() == [0, 0, 0, 1, 1, 1]
    images, labels = train.batch(np.array([4, 0, 2]))
    assert images.shape == (3, 3, 4, 6)
    assert images[:, 0, 0, 0].tolist() == [101, 0, 2]
    assert labels.tolist() == [1, 0, 0]


def test_folder_in_grey(folder):
    images, _ = ImageFolder(folder, channels=1).batch(np.array([4]))
    assert images.shape == (1, 1, 4, 6)


def test_folder_of_several_sizes(folder):
    Image.new("RGB", (9, 9)).save(folder / "train/dog/large.png")
    dataset = ImageFolder(folder)
    images, _ = dataset.batch(np.arange(7))
    assert isinstance(images, list)
    with pytest.raises(InputError, match="takes images of one size, got 4 x 6, 9 x 9: put Resize and CenterCrop"):
        next(iter(DataLoader(dataset, 7)))
    batch, _ = next(iter(DataLoader(dataset, 7, transforms=[Resize((4, 4))])))
    assert batch.shape == (7, 3, 4, 4)


def test_folder_is_decoded_when_asked(folder):
    (folder / "train/cat/1.png").write_bytes(b"broken")
    dataset = ImageFolder(folder)
    dataset.batch(np.array([0, 2]))
    with pytest.raises(InputError, match=r"cat.1\.png is not an image"):
        dataset.batch(np.array([1]))


def test_folder_with_val(folder):
    (folder / "test").rename(folder / "val")
    assert len(ImageFolder(folder, "test")) == 4


def test_a_class_that_training_lacks(folder):
    (folder / "test/zebra").mkdir()
    with pytest.raises(InputError, match=r"test has classes that .*train lacks: zebra"):
        ImageFolder(folder, "test")


def test_a_class_that_the_test_lacks_keeps_its_number(folder):
    for path in (folder / "test/cat").iterdir():
        path.unlink()
    (folder / "test/cat").rmdir()
    assert ImageFolder(folder, "test").labels.tolist() == [1, 1]


def test_a_class_without_images(folder):
    (folder / "train/zebra").mkdir()
    with pytest.raises(InputError, match="zebra holds no image"):
        ImageFolder(folder)


def test_another_layout(tmp_path):
    with pytest.raises(InputError, match=r"train is not a folder: expected DIR/train/<class>"):
        load(f"folder:{tmp_path}")
    (tmp_path / "train").mkdir()
    with pytest.raises(InputError, match=r"train holds no folders: expected one for each class"):
        load(f"folder:{tmp_path}")


def test_class_names_are_no_patterns_and_what_systems_leave_behind_is_passed_over(tmp_path):
    picture = Image.fromarray(np.zeros((2, 2, 3), np.uint8))
    for name, count in {"a*": 1, "ab": 2, "[x]": 1}.items():
        folder = tmp_path / "train" / name
        folder.mkdir(parents=True)
        for number in range(count):
            picture.save(folder / f"{number}.png")
        (folder / "._0.png").write_bytes(b"\0\5\x16\7")
        (folder / "folder.jpg").mkdir()
    (tmp_path / "train" / ".ipynb_checkpoints").mkdir()
    images = ImageFolder(tmp_path)
    assert images.classes == ["[x]", "a*", "ab"]
    found = [(images.classes[label], path.parent.name) for label, path in zip(images.labels, images.paths, strict=True)]
    assert found == [("[x]", "[x]"), ("a*", "a*"), ("ab", "ab"), ("ab", "ab")]
