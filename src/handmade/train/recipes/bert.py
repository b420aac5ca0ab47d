"""BERT, small, on Shakespeare's plays."""

from handmade.train.masked_language_modelling import MaskedRecipe

BERT = MaskedRecipe(model="bert", data="shakespeare", epochs=10, batch_size=32, learning_rate=1e-3)
