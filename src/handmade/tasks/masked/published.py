"""Published BERTs in use."""

from functools import partial
from pathlib import Path

from handmade.models.bert import CONFIGURATIONS, BertForMaskedLM, BertModel
from handmade.models.bert_files import configured, least_numbers
from handmade.nn import init
from handmade.tasks.masked.encoder import Encoder
from handmade.tasks.masked.filler import Filler
from handmade.tasks.masked.pieces import WordPieces
from handmade.text import WordPieceTokenizer
from handmade.weights import bert_tokenizer, read
from handmade.weights.fetch import find
from handmade.weights.loading import configured_beside, load_arrays


def published_bert(name: str, weights: str | None = None) -> Filler | Encoder:
    """A BERT of the zoo: with the head that fills in masks where the weights have it, otherwise what encodes texts.

    weights: a file, the name of published weights, or a folder with model.safetensors and, where it is not BERT's own,
        vocab.txt; config.json beside them says how large the network is. Without weights it is untrained.

    Raises InputError for weights that do not fit.
    """
    folder = Path(weights) if weights and Path(weights).is_dir() else None
    file = str(folder / "model.safetensors") if folder else weights
    config = CONFIGURATIONS[name]
    if file and Path(file).is_file():
        config = configured_beside(Path(file), partial(configured, like=config), least_numbers) or config
    own = folder / "vocab.txt" if folder else None
    pieces = WordPieces(WordPieceTokenizer.from_file(own) if own and own.is_file() else bert_tokenizer())
    path = find(file) if file else None
    arrays = read(path) if path else {}
    with init.drawing(path is None):
        if any(array.startswith("cls.predictions.") for array in arrays):
            used = Filler(name, BertForMaskedLM(config), pieces)
        else:
            used = Encoder(name, BertModel(config), pieces, trained=path is not None)
    if path:
        load_arrays(used.model, arrays, path)
    return used
