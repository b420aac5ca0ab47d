"""BERT, small, on the characters of Shakespeare's plays.

With whole words to guess, so small a text and so short a training teach little more than which are frequent: of byte
pairs (`merges=1000`) a BERT needs many times as long. Texts are short for the same reason: where to look for a
neighbour has to be learned for every position.
"""

from handmade.tasks.masked.task import MaskedRecipe

BERT = MaskedRecipe(model="bert", data="shakespeare", epochs=3, batch_size=64, learning_rate=3e-3)
RECIPES = (BERT,)
