"""A text as a model reads it, and the pictures that can be drawn of that, whatever the model."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from handmade import lens
from handmade.draw import all_legible
from handmade.engine import Tensor
from handmade.errors import InputError, suggestion
from handmade.models import ZOO
from handmade.models.bert import CONFIGURATIONS, BertForMaskedLM, BertModel
from handmade.models.char_lm import CharLM
from handmade.models.gpt import GPT
from handmade.models.transformer import Transformer
from handmade.tasks import LanguageModelling, MaskedLanguageModelling, TranslationTask
from handmade.tasks.language.surprise import draw_surprise
from handmade.tasks.language.task import LINE_END
from handmade.text import BPETokenizer, WordPieceTokenizer
from handmade.text.wordpiece import MASK
from handmade.train import open_run
from handmade.weights import bert_tokenizer, load, read

KINDS = ("attention", "logit-lens", "loss")

Draw = Callable[[Path], None]
Decode = Callable[[Iterable[int]], list[str]]
"""What each token says."""


@dataclass(frozen=True)
class Reading:
    """What can be drawn of a model that reads a text: kind of picture -> name of each file -> what draws it there."""

    name: str
    pictures: dict[str, dict[str, Draw]]
    trained: bool = True


def open_reading(source: str, weights: str | None, text: str) -> Reading:
    """The model that the command line names, reading `text`: the folder of a run, or a model of the zoo.

    weights: for a model of the zoo, a weights file, the name of published weights, or a folder with model.safetensors
        and the files of the tokenizer.

    Raises InputError for an unknown name, a model that reads no text, weights that do not fit, and a text that is
    empty, longer than the model can see, or has characters that it does not know.
    """
    if not text.strip():
        raise InputError("--text is empty: give a few words for the model to read.")
    if Path(source, "config.json").exists():
        if weights:
            raise InputError(f"{source} is a run and has weights of its own; --weights goes with the name of a model.")
        return _of_run(Path(source), text)
    if source in ZOO:
        return _of_zoo(source, weights, text)
    if Path(source).exists():
        raise InputError(f"{source} holds no run: there is no {Path(source, 'config.json')}.")
    raise InputError(
        f"{source!r} is neither the folder of a run nor a model of the zoo{suggestion(source, ZOO)} "
        "'handmade models' lists the zoo."
    )


def _of_run(folder: Path, text: str) -> Reading:
    run, kinds = open_run(folder), (LanguageModelling, MaskedLanguageModelling, TranslationTask)
    task, name = run.trained_task("read text", *kinds), run.recipe.model
    if isinstance(task, TranslationTask):
        return _of_translation(name, task, text)
    if isinstance(task, MaskedLanguageModelling):
        tokenizer = task.tokenizer
        return _of_bert(name, task.model, tokenizer.around(text), tokenizer.pieces, tokenizer.mask)
    characters = task.tokenizer.vocabulary
    tokens = task.tokenizer.encode(f"{LINE_END}{text}" if task.learns_lines else text)
    return _of_language_model(name, task.model, tokens, characters.decode)


def _of_zoo(name: str, weights: str | None, text: str) -> Reading:
    model, folder = ZOO[name].make(), Path(weights or "")
    file = str(folder / "model.safetensors") if weights and folder.is_dir() else weights
    if isinstance(model, GPT):
        if file is None:
            raise InputError(
                f"{name} needs weights and a tokenizer: give a folder as --weights that has vocab.json, too."
            )
        beside = Path(file).parent
        byte_pairs = BPETokenizer.from_files(beside / "vocab.json", beside / "merges.txt")
        load(model, file)
        decode: Decode = lambda tokens: [byte_pairs.decode([token], skip_special_tokens=False) for token in tokens]
        return _of_language_model(name, model, byte_pairs.encode(text), decode)
    if not isinstance(model, BertModel):
        raise InputError(f"{name} does not read text on its own; take a run, or one of {', '.join(_READERS)}.")
    if file is not None:
        if Path(file).is_file() and any(array.startswith("cls.predictions.") for array in read(file)):
            model = BertForMaskedLM(CONFIGURATIONS[name])
        load(model, file)
    vocabulary = folder / "vocab.txt"
    pieces = WordPieceTokenizer.from_file(vocabulary) if weights and vocabulary.is_file() else bert_tokenizer()
    words = pieces.vocabulary
    reading = _of_bert(name, model, pieces.encode(text), lambda tokens: words.decode(tokens, False), words[MASK])
    return Reading(name, reading.pictures, trained=file is not None)


# --- what can be drawn of each kind of model --------------------------------------------------------------------------


def _of_language_model(name: str, model: CharLM, tokens: list[int], decode: Decode) -> Reading:
    """The loss; of a GPT attention and logit lens as well."""
    array, pieces = np.array(tokens), decode(tokens)

    def loss(path: Path) -> None:
        draw_surprise(path, pieces[1:], lens.next_token_losses(model, array), _unit(pieces))

    if not isinstance(model, GPT):
        return Reading(name, {"loss": {"loss.png": loss}})
    _require_room(len(tokens), model.config.block_size)
    names = _written(pieces)
    return Reading(
        name,
        {
            "attention": {"attention.png": _attention(name, model, array, names)},
            "logit-lens": {"logit-lens.png": _logit_lens(name, model, array, decode, [*names[1:], None])},
            "loss": {"loss.png": loss},
        },
    )


def _of_bert(name: str, model: BertModel | BertForMaskedLM, tokens: list[int], decode: Decode, mask: int) -> Reading:
    """Attention; with the head that fills in masks logit lens and loss as well. Tokens are from [CLS] to [SEP]."""
    _require_room(len(tokens), model.config.max_position_embeddings)
    array, names = np.array(tokens), _written(decode(tokens))
    pictures = {"attention": {"attention.png": _attention(name, model, array, names)}}
    if isinstance(model, BertForMaskedLM):
        wanted = [None if token == mask else said for token, said in zip(tokens, names, strict=True)]
        pictures["logit-lens"] = {"logit-lens.png": _logit_lens(name, model, array, decode, wanted)}

        def loss(path: Path) -> None:
            draw_surprise(path, decode(tokens[1:-1]), lens.masked_losses(model, array, mask), "token")

        pictures["loss"] = {"loss.png": loss}
    return Reading(name, pictures)


def _of_translation(name: str, task: TranslationTask, text: str) -> Reading:
    """Attention (of a Transformer to the source, to the target, and between them) and the loss of its translation."""
    (made,) = task.translate([text])
    tokenizer = task.tokenizer
    source, target = np.array(tokenizer.source(text)), np.array(tokenizer.target(made))
    read, written = _written(tokenizer.pieces(source.tolist())), _written(tokenizer.pieces(target.tolist()))

    def loss(path: Path) -> None:
        nats = lens.translation_losses(task.model, source, target)
        draw_surprise(path, tokenizer.pieces(target[1:].tolist()), nats, _unit(written))

    def attention(part: slice, looking: list[str], looked_at: list[str], what: str) -> Draw:
        def draw(path: Path) -> None:
            maps = lens.attention_maps(task.model, Tensor(source[None]), Tensor(target[None, :-1]))
            lens.draw_attention_maps(path, maps[part], looking, looked_at, f"{name}: {what}")

        return draw

    def alignment(path: Path) -> None:
        aligned = task.alignment(text, made)
        assert aligned is not None
        lens.draw_attention_maps(path, [aligned[2][None]], written[1:], read, f"{name}: where the decoder looks")

    pictures: dict[str, dict[str, Draw]] = {}
    if isinstance(task.model, Transformer):
        # the layers of the encoder come first; each of the decoder looks at the target so far, then at the source
        layers = task.model.encoder.num_layers
        pictures["attention"] = {
            "attention-encoder.png": attention(slice(layers), read, read, "the encoder looks at the source"),
            "attention-decoder.png": attention(
                slice(layers, None, 2), written[:-1], written[:-1], "the decoder looks at what it wrote"
            ),
            "attention-cross.png": attention(
                slice(layers + 1, None, 2), written[:-1], read, "the decoder looks at the source"
            ),
        }
    elif task.alignment(text, made) is not None:
        pictures["attention"] = {"attention.png": alignment}
    pictures["loss"] = {"loss.png": loss}
    return Reading(name, pictures)


def _attention(name: str, model: GPT | BertModel | BertForMaskedLM, tokens: np.ndarray, names: list[str]) -> Draw:
    def draw(path: Path) -> None:
        maps = lens.attention_maps(model, Tensor(tokens[None]))
        lens.draw_attention_maps(path, maps, names, names, f"{name}: where each head looks")

    return draw


def _logit_lens(
    name: str, model: GPT | BertForMaskedLM, tokens: np.ndarray, decode: Decode, wanted: list[str | None]
) -> Draw:
    def draw(path: Path) -> None:
        guesses = lens.logit_lens(model, tokens)
        guessed = [_written(decode(row.tolist())) for row in guesses.tokens]
        read = _written(decode(tokens.tolist()))
        title = f"{name}: what it would say after each layer"
        lens.draw_logit_lens(path, guessed, guesses.probabilities, read, wanted, title)

    return draw


def _require_room(length: int, most: int) -> None:
    if length > most:
        raise InputError(f"--text has {length} tokens, and the model sees {most} at once: give a shorter text.")


def _written(pieces: Sequence[str]) -> list[str]:
    """As they can be written beside a picture, blanks too."""
    return all_legible(pieces)


def _unit(pieces: Sequence[str]) -> str:
    return "character" if max(map(len, pieces)) == 1 else "token"


_READERS = tuple(name for name in ZOO if name.startswith(("gpt", "bert", "minilm")))
