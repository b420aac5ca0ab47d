"""Arrays in, a picture out: everything that is drawn, in one style.

from handmade import draw
picture = draw.confusion_matrix(counts, ["cat", "dog"], "my network")
picture.save(Path("confusion.png"))   # and confusion.txt beside it: what it shows, in words
"""

from handmade.draw.classes import Mistake as Mistake
from handmade.draw.classes import confusion_matrix as confusion_matrix
from handmade.draw.classes import misclassified as misclassified
from handmade.draw.classes import surest_mistakes as surest_mistakes
from handmade.draw.costs import Part as Part
from handmade.draw.costs import costs as costs
from handmade.draw.images import covered as covered
from handmade.draw.images import evidence as evidence
from handmade.draw.images import feature_maps as feature_maps
from handmade.draw.images import filters as filters
from handmade.draw.images import is_grey as is_grey
from handmade.draw.images import receptive_field as receptive_field
from handmade.draw.layers import Added as Added
from handmade.draw.layers import LayerGradient as LayerGradient
from handmade.draw.layers import branches as branches
from handmade.draw.layers import gradients as gradients
from handmade.draw.lines import Elman as Elman
from handmade.draw.lines import Errors as Errors
from handmade.draw.lines import compared_training as compared_training
from handmade.draw.lines import exact_by_length as exact_by_length
from handmade.draw.lines import gradient_flow as gradient_flow
from handmade.draw.lines import learning_curves as learning_curves
from handmade.draw.palette import DARK as DARK
from handmade.draw.palette import LIGHT as LIGHT
from handmade.draw.sounds import Heard as Heard
from handmade.draw.sounds import Said as Said
from handmade.draw.sounds import listening as listening
from handmade.draw.style import Picture as Picture
from handmade.draw.sweeps import Swept as Swept
from handmade.draw.sweeps import sweep as sweep
from handmade.draw.text import all_legible as all_legible
from handmade.draw.text import legible as legible
from handmade.draw.tokens import attention_maps as attention_maps
from handmade.draw.tokens import contributions as contributions
from handmade.draw.tokens import guesses as guesses
from handmade.draw.tokens import head_ablation as head_ablation
from handmade.draw.tokens import surprise as surprise
from handmade.draw.words import similarities as similarities
