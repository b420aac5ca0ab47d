"""Published BERTs in use."""

from pathlib import Path

from handmade.models import ZOO
from handmade.models.bert import CONFIGURATIONS, BertForMaskedLM, BertModel
from handmade.nn import init
from handmade.tasks.masked.encoder import Encoder
from handmade.tasks.masked.filler import Filler
from handmade.tasks.masked.pieces import WordPieces
from handmade.text import WordPieceTokenizer
from handmade.weights import bert_tokenizer, load, read


def published_bert(name: str, weights: str | None = None) -> Filler | Encoder:
    """A BERT of the zoo: with the head that fills in masks where the weights have it, otherwise what encodes texts.

    weights: a file, the name of published weights, or a folder with model.safetensors and, where it is not BERT's own,
        vocab.txt. Without them the network is untrained.

    Raises InputError for weights that do not fit.
    """
    folder = Path(weights) if weights and Path(weights).is_dir() else None
    file = str(folder / "model.safetensors") if folder else weights
    own = folder / "vocab.txt" if folder else None
    pieces = WordPieces(WordPieceTokenizer.from_file(own) if own and own.is_file() else bert_tokenizer())
    if file and Path(file).is_file() and any(array.startswith("cls.predictions.") for array in read(file)):
        with init.drawing(False):
            model = BertForMaskedLM(CONFIGURATIONS[name])
        load(model, file)
        return Filler(name, model, pieces)
    with init.drawing(file is None):
        encoder = ZOO[name].make()
    assert isinstance(encoder, BertModel)
    if file:
        load(encoder, file)
    return Encoder(name, encoder, pieces, trained=file is not None)
