"""The published weights that handmade knows by name: what the cards of the networks say of them.

Sources: torchvision 0.29 (`IMAGENET1K_V1` in torchvision/models; file names end in the first eight digits of the file's
SHA-256, which torchvision checks too), Yerlan Idelbayev's ResNets for CIFAR-10 (github.com/akamaster), g2p_en of
Kyubyong Park and Jongseok Kim, textgenrnn of Max Woolf, and the sentence-transformers' MiniLM.
"""

from handmade.models import ZOO
from handmade.models.card import Published

PUBLISHED: dict[str, Published] = {card.name: card.published for card in ZOO.values() if card.published}
"""Published weights by the name of their network."""

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""How the images of all of them are normalised, after scaling to 0..1, channels red, green, blue."""


def published(name: str) -> Published | None:
    """Published weights by a name or by a file's name (`resnet50-0676ba61.pth`, with or without its ending)."""
    for weights in PUBLISHED.values():
        if name in (weights.builder, weights.file, weights.file.rpartition(".")[0]):
            return weights
    return None
