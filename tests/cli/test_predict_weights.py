"""handmade predict MODEL --weights: published weights, files of other networks, and images of every kind."""

import struct
import tarfile
import zlib

import numpy as np
import pytest
from PIL import Image

from handmade import tensor, weights
from handmade.data import imagenet_preprocessing
from handmade.models import resnet18, resnet20
from handmade.tasks.images.classifier import published_classifier


@pytest.fixture
def published(shared_data):
    return shared_data / "weights/resnet20-12fca82f.th"


@pytest.fixture
def photo(tmp_path, rng):
    path = tmp_path / "photo.png"
    Image.fromarray(rng.integers(0, 256, (50, 40, 3)).astype(np.uint8)).save(path)
    return path


def likely(out: str) -> list[tuple[str, float]]:
    """The classes of one printed line with their percentages."""
    parts = out.strip().rpartition(": ")[2].removesuffix(" %").split(" %, ")
    return [(name, float(percent)) for name, _, percent in (part.rpartition(" ") for part in parts)]


@pytest.mark.slow
def test_images_of_cifar10_are_told_apart(handmade, published, shared_data, tmp_path):
    """The first ones of the test set, of which the published weights know most."""
    names = ["airplane", "automobile"]
    paths = [tmp_path / f"test/{name}/0002.jpg" for name in names]
    with tarfile.open(shared_data / "images/cifar10-jpeg.tar.xz") as archive:
        while not all(path.exists() for path in paths):
            member = archive.next()
            assert member is not None
            if tmp_path / member.name in paths:
                archive.extract(member, tmp_path, filter="data")
    ran = handmade("predict", "resnet20", *paths, "--weights", published)
    assert ran.code == 0
    lines = ran.out.splitlines()
    assert [line.partition(": ")[0] for line in lines] == list(map(str, paths))
    assert [likely(line)[0][0] for line in lines] == names
    for line in lines:
        shares = [percent for _, percent in likely(line)]
        assert len(shares) == 5
        assert shares == sorted(shares, reverse=True)
        assert 99.5 < sum(shares) < 100.5


@pytest.mark.slow
def test_weights_by_name(handmade, photo, published, monkeypatch):
    monkeypatch.setenv("HANDMADE_DATA", str(published.parent.parent))
    by_name = handmade("predict", "resnet20", photo, "--weights", "resnet20")
    assert by_name.code == 0
    assert by_name.out == handmade("predict", "resnet20", photo, "--weights", published).out


@pytest.mark.slow
def test_imagenet_classes_and_preprocessing(handmade, photo, tmp_path):
    model = resnet18()
    weights.save(tmp_path / "w.safetensors", {name: tensor.array for name, tensor in model.state_dict().items()})
    ran = handmade("predict", "resnet18", photo, "--weights", tmp_path / "w.safetensors")
    pixels = np.asarray(Image.open(photo)).transpose(2, 0, 1)
    scores = model.eval()(tensor(imagenet_preprocessing(256, 224)([pixels]))).softmax(dim=1).numpy()[0]
    expected = [weights.imagenet_classes()[index] for index in scores.argsort()[::-1][:5]]
    assert [name for name, _ in likely(ran.out)] == expected


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "shape"),
    [("resnet18", (3, 224, 224)), ("inception_v3", (3, 299, 299)), ("alexnet-paper", (3, 227, 227))],
)
def test_the_input_has_the_published_size(name, shape, rng):
    classifier = published_classifier(name)
    image = rng.integers(0, 256, (3, 100, 130)).astype(np.uint8)
    assert classifier.input(image).shape == (1, *shape)
    seen = classifier.seen(image)
    assert seen.shape == shape
    assert 0 <= seen.min() < seen.max() <= 1
    assert len(classifier.classes) == 1000


@pytest.mark.slow
def test_inception_v3_resizes_to_342(rng):
    classifier = published_classifier("inception_v3")
    image = rng.integers(0, 256, (3, 400, 360)).astype(np.uint8)
    assert np.array_equal(classifier.input(image).numpy(), imagenet_preprocessing(342, 299)([image]))


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "1", "CMYK", "LA", "I;16"])
def test_images_of_every_mode(handmade, published, tmp_path, rng, mode):
    path = tmp_path / ("picture.jpg" if mode == "CMYK" else "picture.png")
    if mode == "I;16":
        Image.fromarray(rng.integers(0, 65536, (33, 47)).astype(np.uint16)).save(path)
    else:
        Image.fromarray(rng.integers(0, 256, (33, 47, 3)).astype(np.uint8)).convert(mode).save(path)
    ran = handmade("predict", "resnet20", path, "--weights", published)
    assert ran.code == 0, ran.err
    assert sum(percent for _, percent in likely(ran.out)) > 50


@pytest.mark.slow
def test_an_image_of_one_pixel(handmade, published, tmp_path):
    Image.new("RGB", (1, 1)).save(tmp_path / "dot.png")
    assert handmade("predict", "resnet20", tmp_path / "dot.png", "--weights", published).code == 0


@pytest.mark.slow
def test_a_truncated_image(handmade, published, photo):
    photo.write_bytes(photo.read_bytes()[:2000])
    ran = handmade("predict", "resnet20", photo, "--weights", published)
    assert ran.code == 2
    assert f"image {photo} is damaged or cut short" in ran.err


@pytest.mark.slow
def test_a_decompression_bomb(handmade, published, tmp_path):
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    path = tmp_path / "bomb.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))))
    ran = handmade("predict", "resnet20", path, "--weights", published)
    assert ran.code == 2
    assert f"image {path} has more than 89,478,485 pixels" in ran.err


@pytest.mark.slow
def test_a_file_that_is_no_image(handmade, published):
    ran = handmade("predict", "resnet20", published, "--weights", published)
    assert ran.code == 2
    assert "is not an image in a known format" in ran.err


@pytest.mark.slow
def test_without_weights(handmade, photo):
    ran = handmade("predict", "resnet50", photo)
    assert ran.code == 2
    assert "resnet50 is untrained: give a weights file or the name of published weights with --weights." in ran.err


@pytest.mark.slow
def test_weights_of_another_depth(handmade, photo, published):
    ran = handmade("predict", "resnet32", photo, "--weights", published)
    assert ran.code == 2
    missing = [line for line in ran.err.splitlines() if "missing: layer1.3.conv1.weight (16, 16, 3, 3)" in line]
    assert len(missing) == 1
    assert "none of it is loaded" in ran.err


def test_weights_of_another_number_of_classes(handmade, photo, tmp_path):
    path = tmp_path / "seven.safetensors"
    weights.save(path, {name: tensor.array for name, tensor in resnet20(num_classes=7).state_dict().items()})
    ran = handmade("predict", "resnet20", photo, "--weights", path)
    assert ran.code == 2
    assert "Only the head differs: the file knows 7 classes, the model 10. Either build the model with" in ran.err
