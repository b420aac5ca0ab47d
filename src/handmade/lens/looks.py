"""An image as a classifier sees it, and the pictures that can be drawn of that."""

from functools import partial

import numpy as np
from jaxtyping import UInt8

from handmade.draw import is_grey
from handmade.lens.backward import class_loss, draw_gradients, gradients_by_layer
from handmade.lens.branches import has_blocks
from handmade.lens.features import draw_feature_maps, feature_maps
from handmade.lens.filters import draw_filters
from handmade.lens.layers import early_and_late
from handmade.lens.localisation import draw_grad_cam, grad_cam
from handmade.lens.patches import default_stride, draw_occlusion, occlusion
from handmade.lens.readings import Draw, Pictures
from handmade.lens.receptive import draw_receptive_field, receptive_field
from handmade.lens.streams import added_by_blocks, draw_added
from handmade.tasks import Classifier


def looking(
    used: Classifier, image: UInt8[np.ndarray, "C H W"], class_number: int | None = None, layer: str | None = None
) -> Pictures:
    """What can be drawn of a classifier that looks at `image`: filters, features, grad-cam, receptive-field, gradients,
    occlusion, and branches of a network that has residual blocks.

        resnet = handmade.open("resnet50", weights="resnet50")
        pictures = lens.looking(resnet, resnet.read(Path("cat.jpg")))
        pictures["grad-cam"]["grad-cam.png"](Path("grad-cam.png"))

    class_number: the class that is explained; None for the most likely.
    layer: whose maps are drawn, and what its unit that responds most sees; None for an early and a late one.

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

    def field(layer: str) -> Draw:
        def draw(path) -> None:
            found = receptive_field(model, taken, layer)
            kernel, row, column = found.unit
            unit = f"the strongest unit of {layer} (map {kernel}, row {row}, column {column})"
            draw_receptive_field(path, found, seen, f"{name}: what {unit} sees")

        return draw

    def gradients(path) -> None:
        layers = gradients_by_layer(model, class_loss(model, taken, index))
        of = f"The loss: -log of the probability of {used.classes[index]} for this one image."
        draw_gradients(path, layers, f"{name}: how large the gradient is, layer by layer", of)

    def branches(path) -> None:
        of = "x is what the skip brings, F(x) what the branch gives; lengths are over all channels and places."
        draw_added(path, added_by_blocks(model, taken), f"{name}: what each residual block adds", of)

    return {
        "filters": {"filters.png": partial(draw_filters, model=model, title=name, grey=is_grey(seen))},
        "features": {f"features-{layer}.png": features(layer) for layer in layers},
        "grad-cam": {"grad-cam.png": cam},
        "receptive-field": {f"receptive-field-{layer}.png": field(layer) for layer in layers},
        **({"branches": {"branches.png": branches}} if has_blocks(model) else {}),
        "gradients": {"gradients.png": gradients},
        "occlusion": {"occlusion.png": occluded},
    }
