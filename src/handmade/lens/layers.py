"""Which layers of an image network are worth looking at, found by running it once.

N images, C channels, H height, W width
"""

from jaxtyping import Float

from handmade.engine import Tensor, no_grad
from handmade.errors import InputError
from handmade.lens.hooks import find_layer, recording, undisturbed
from handmade.nn import Module


def early_and_late(model: Module, image: Float[Tensor, "1 C H W"]) -> tuple[str, str]:
    """The names of the first and the last convolution, each with the norm and the activation that follow it.

    "Followed" ends where the maps change their size or other weights come into play. A block counts as a layer, so that
    the last of a ResNet is the sum that ends its last stage, and of an Inception network the joined branches. Maps of
    one pixel, and modules that run more than once, are no candidates.

    Raises InputError when no layer gives maps.
    """
    with undisturbed(model), no_grad(), recording(model) as outputs:
        model(image)
    sizes = {name: made[0].shape[2:] for name, made in outputs.items() if len(made) == 1 and _gives_maps(made[0])}
    weighted = [name for name in sizes if _has_weights(find_layer(model, name))]
    if not weighted:
        raise InputError(f"{type(model).__name__} has no convolution whose maps could be drawn.")

    def followed(start: str) -> str:
        end, *later = list(sizes)[list(sizes).index(start) :]
        for name in later:
            if name in weighted or sizes[name] != sizes[start]:
                break
            end = name
        return end

    return followed(weighted[0]), followed(weighted[-1])


def maps_of(outputs: dict[str, list[Tensor]], layer: str) -> Tensor:
    """What `layer` gave when it last ran, of shape (N, C, H, W). InputError when it did not run or gives no maps."""
    if layer not in outputs:
        raise InputError(f"layer {layer!r} does not run when the model is used; choose another layer.")
    output = outputs[layer][-1]
    if not _gives_maps(output):
        raise InputError(
            f"layer {layer!r} gives an output of shape {output.shape[1:]}, expected maps (channels, height, width) of "
            "several pixels; choose a convolution."
        )
    return output


def _gives_maps(output: Tensor) -> bool:
    return output.ndim == 4 and output.shape[2] * output.shape[3] > 1


def _has_weights(module: Module) -> bool:
    """Whether it multiplies by weights of its own (the scales of a norm are one to a channel and do not count)."""
    return any(parameter.ndim >= 2 for parameter in module.parameters(recurse=False))
