"""A text as a model reads it, and the pictures that can be drawn of that, whatever the model."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from handmade import draw
from handmade.engine import Tensor
from handmade.errors import InputError
from handmade.lens.attention import attention_maps, draw_attention_maps
from handmade.lens.guesses import draw_logit_lens, logit_lens
from handmade.lens.logits import contributions, draw_contributions
from handmade.lens.token_loss import masked_losses, next_token_losses, translation_losses
from handmade.models.bert import BertForMaskedLM
from handmade.models.gpt import GPT
from handmade.models.transformer import Transformer
from handmade.tasks import Encoder, Filler, Translator, Use, Writer
from handmade.tasks.language.surprise import draw_surprise

Draw = Callable[[Path], None]
"""Draws a picture into a file."""

Pictures = dict[str, dict[str, Draw]]
"""What can be drawn: kind of picture -> name of each file -> what draws it."""


def reading(used: Use, text: str) -> Pictures:
    """What can be drawn of a model of language that reads `text`.

        pictures = lens.reading(handmade.open("runs/gpt-1"), "To be, or not to be")
        pictures["attention"]["attention.png"](Path("attention.png"))

    Of a GPT, and of a BERT with its head: attention, logit-lens and loss; of a GPT also contributions, to the score of
    the most likely token after the text; of other models what they have of these. A translator is drawn as it
    translates the text. There is no loss of a text of one token, which nothing comes before, or of nothing but masks.

    Raises InputError for a model that reads no text, and a text that is empty, longer than the model can see, or has
    characters that it does not know.
    """
    if not text.strip():
        raise InputError("the text is empty: give a few words for the model to read.")
    if isinstance(used, Writer):
        return _of_writer(used, used.tokens(text))
    if isinstance(used, Filler | Encoder):
        return _of_bert(used, used.tokenizer.around(text))
    if isinstance(used, Translator):
        return _of_translator(used, text)
    raise InputError(f"{used.name} does not read text.")


def _of_writer(used: Writer, tokens: list[int]) -> Pictures:
    """The loss; of a GPT attention and logit lens as well."""
    model, array, pieces = used.model, np.array(tokens), used.pieces(tokens)

    def loss(path: Path) -> None:
        draw_surprise(path, pieces[1:], next_token_losses(model, array), _unit(pieces), _surprised(used))

    pictures: Pictures = {}
    if isinstance(model, GPT):
        _require_room(len(tokens), model.config.block_size)
        drawn = _logit_lens(used.name, model, used.pieces, array, [*pieces[1:], None])
        pictures["attention"] = {"attention.png": _attention(used, array, pieces)}
        pictures["logit-lens"] = {"logit-lens.png": drawn}
        pictures["contributions"] = {"contributions.png": _contributions(used, model, array)}
    if len(tokens) > 1:
        pictures["loss"] = {"loss.png": loss}
    if not pictures:
        raise InputError("the text has 1 token, expected two at least: what follows the first?")
    return pictures


def _of_bert(used: Filler | Encoder, tokens: list[int]) -> Pictures:
    """Attention; with the head that fills in masks logit lens and loss as well. Tokens are from [CLS] to [SEP]."""
    model, tokenizer = used.model, used.tokenizer
    _require_room(len(tokens), model.config.max_position_embeddings)
    array, names = np.array(tokens), tokenizer.pieces(tokens)
    pictures = {"attention": {"attention.png": _attention(used, array, names)}}
    if isinstance(model, BertForMaskedLM):
        mask, decode = tokenizer.mask, tokenizer.pieces
        wanted = [None if token == mask else said for token, said in zip(tokens, names, strict=True)]
        pictures["logit-lens"] = {"logit-lens.png": _logit_lens(used.name, model, decode, array, wanted)}

        def loss(path: Path) -> None:
            nats = masked_losses(model, array, mask)
            draw_surprise(path, decode(tokens[1:-1]), nats, "token", _surprised(used))

        if any(token != mask for token in tokens[1:-1]):
            pictures["loss"] = {"loss.png": loss}
    return pictures


def _of_translator(used: Translator, text: str) -> Pictures:
    """Attention (of a Transformer to the source, to the target, and between them) and the loss of its translation."""
    model, tokenizer, made = used.model, used.tokenizer, used.translate(text)
    source, target = np.array(tokenizer.source(text)), np.array(tokenizer.target(made))
    read, written = tokenizer.pieces(source.tolist()), tokenizer.pieces(target.tolist())
    aligned = used.alignment(text, made)

    def loss(path: Path) -> None:
        nats = translation_losses(model, source, target)
        draw_surprise(path, tokenizer.pieces(target[1:].tolist()), nats, _unit(written), _surprised(used))

    def attention(part: slice, looking: list[str], looked_at: list[str], what: str) -> Draw:
        def draw(path: Path) -> None:
            maps = attention_maps(model, Tensor(source[None]), Tensor(target[None, :-1]))
            draw_attention_maps(path, maps[part], looking, looked_at, f"{used.name}: {what}")

        return draw

    pictures: Pictures = {}
    if isinstance(model, Transformer):
        # the layers of the encoder come first; each of the decoder looks at the target so far, then at the source
        layers = model.encoder.num_layers
        pictures["attention"] = {
            "attention-encoder.png": attention(slice(layers), read, read, "the encoder looks at the source"),
            "attention-decoder.png": attention(
                slice(layers, None, 2), written[:-1], written[:-1], "the decoder looks at what it wrote"
            ),
            "attention-cross.png": attention(
                slice(layers + 1, None, 2), written[:-1], read, "the decoder looks at the source"
            ),
        }
    elif aligned is not None:
        weights, title = aligned[2], f"{used.name}: where the decoder looks"
        draw: Draw = lambda path: draw_attention_maps(path, [weights[None]], written[1:], read, title)
        pictures["attention"] = {"attention.png": draw}
    pictures["loss"] = {"loss.png": loss}
    return pictures


def _attention(used: Writer | Filler | Encoder, tokens: np.ndarray, names: list[str]) -> Draw:
    def draw(path: Path) -> None:
        maps = attention_maps(used.model, Tensor(tokens[None]))
        draw_attention_maps(path, maps, names, names, f"{used.name}: where each head looks")

    return draw


def _logit_lens(
    name: str,
    model: GPT | BertForMaskedLM,
    decode: Callable[[list[int]], list[str]],
    tokens: np.ndarray,
    wanted: list[str | None],
) -> Draw:
    def draw(path: Path) -> None:
        guesses = logit_lens(model, tokens)
        guessed = [decode(row.tolist()) for row in guesses.tokens]
        read = decode(tokens.tolist())
        title = f"{name}: what it would say after each layer"
        draw_logit_lens(path, guessed, guesses.probabilities, read, wanted, title)

    return draw


def _contributions(used: Writer, model: GPT, tokens: np.ndarray) -> Draw:
    """What raises the most likely token after the text."""

    def drawn(path: Path) -> None:
        likely = logit_lens(model, tokens).tokens[-1, -1:]
        (piece,) = draw.all_legible(used.pieces(likely.tolist()))
        made = contributions(model, tokens, len(tokens) - 1, likely)
        draw_contributions(path, made, f"{used.name}: what raises {piece} after the text, layer by layer")

    return drawn


def _require_room(length: int, most: int) -> None:
    if length > most:
        raise InputError(f"the text has {length} tokens, and the model sees {most} at once: give a shorter text.")


def _surprised(used: Use) -> str:
    return f"{used.name}, how surprised it is"


def _unit(pieces: Sequence[str]) -> str:
    return "character" if max(map(len, pieces)) == 1 else "token"
