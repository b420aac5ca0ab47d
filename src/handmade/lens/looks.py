"""An image as a classifier sees it, and the pictures that can be drawn of that."""

from functools import partial

import numpy as np
from jaxtyping import UInt8

from handmade.draw import is_grey
from handmade.lens.features import draw_feature_maps, feature_maps
from handmade.lens.filters import draw_filters
from handmade.lens.layers import early_and_late
from handmade.lens.localisation import draw_grad_cam, grad_cam
from handmade.lens.patches import default_stride, draw_occlusion, occlusion
from handmade.lens.readings import Draw, Pictures
from handmade.tasks import Classifier


def looking(
    used: Classifier, image: UInt8[np.ndarray, "C H W"], class_number: int | None = None, layer: str | None = None
) -> Pictures:
    """What can be drawn of a classifier that looks at `image`: filters, features, grad-cam and occlusion.

        resnet = handmade.open("resnet50", weights="resnet50")
        pictures = lens.looking(resnet, resnet.read(Path("cat.jpg")))
        pictures["grad-cam"]["grad-cam.png"](Path("grad-cam.png"))

    class_number: the class that is explained; None for the most likely.
    layer: whose maps are drawn; None for an early and a late one.

    Raises InputError for an unknown layer, and one that gives no maps.
    """
    name, model, seen, taken = used.name, used.model, used.seen(image), used.input(image)
    layers = [layer] if layer else list(dict.fromkeys(early_and_late(model, taken)))
    maps = {name: feature_maps(model, taken, name) for name in layers}  # a layer may have none
    probabilities = used.probabilities([image])[0]
    index = int(probabilities.argmax()) if class_number is None else class_number
    explained = f"{used.classes[index]} ({100 * probabilities[index]:.1f} %)"

    def cam(path) -> None:
        heat = grad_cam(model, taken, index, layers[-1])
        draw_grad_cam(path, heat, seen, layers[-1], f"Where {name} sees evidence for {explained}")

    def occluded(path) -> None:
        stride = default_stride(*seen.shape[1:])
        drop = occlusion(model, taken, index, 2 * stride, stride)
        draw_occlusion(path, drop, seen, 2 * stride, f"What {name} needs to see for {explained}")

    def features(layer: str) -> Draw:
        return lambda path: draw_feature_maps(path, maps[layer], layer, seen, name)

    return {
        "filters": {"filters.png": partial(draw_filters, model=model, title=name, grey=is_grey(seen))},
        "features": {f"features-{layer}.png": features(layer) for layer in layers},
        "grad-cam": {"grad-cam.png": cam},
        "occlusion": {"occlusion.png": occluded},
    }
