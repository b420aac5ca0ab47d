"""Recording what happens inside a model, and drawing it."""

from handmade.lens.attention import attention_maps, draw_attention_maps
from handmade.lens.costs import Cost, LayerCost, cost
from handmade.lens.features import draw_feature_maps, feature_maps, strongest
from handmade.lens.filters import as_images, draw_filters, first_filters
from handmade.lens.gradient_flow import draw_gradient_flow, gradient_norms
from handmade.lens.guesses import draw_logit_lens, logit_lens
from handmade.lens.hooks import find_layer, recording, undisturbed
from handmade.lens.layers import early_and_late
from handmade.lens.localisation import draw_grad_cam, grad_cam
from handmade.lens.patches import default_stride, draw_occlusion, occlusion
from handmade.lens.token_loss import masked_losses, next_token_losses, translation_losses

__all__ = [
    "Cost",
    "LayerCost",
    "as_images",
    "attention_maps",
    "cost",
    "default_stride",
    "draw_attention_maps",
    "draw_feature_maps",
    "draw_filters",
    "draw_grad_cam",
    "draw_gradient_flow",
    "draw_logit_lens",
    "draw_occlusion",
    "early_and_late",
    "feature_maps",
    "find_layer",
    "first_filters",
    "grad_cam",
    "gradient_norms",
    "logit_lens",
    "masked_losses",
    "next_token_losses",
    "occlusion",
    "recording",
    "strongest",
    "translation_losses",
    "undisturbed",
]
