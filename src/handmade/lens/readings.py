"""A text as a model reads it, and the pictures that can be drawn of that, whatever the model."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from handmade import draw
from handmade.engine import Tensor
from handmade.errors import InputError
from handmade.lens.attention import attention_maps, draw_attention_maps
from handmade.lens.backward import Loss, draw_gradients, gradients_by_layer, hidden_loss, text_loss, translation_loss
from handmade.lens.guesses import draw_logit_lens, logit_lens
from handmade.lens.heads import draw_head_ablation
from handmade.lens.logits import contributions, draw_contributions
from handmade.lens.streams import added_by_branches, draw_added
from handmade.lens.texts import text_read
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

KINDS = {
    "filters": "networks of convolutions",
    "features": "networks of convolutions",
    "grad-cam": "networks of convolutions",
    "occlusion": "networks of convolutions",
    "receptive-field": "networks of convolutions",
    "attention": "models of language with attention",
    "logit-lens": "a GPT, and a BERT that fills in masks",
    "contributions": "a GPT",
    "head-ablation": "a GPT, a BERT that fills in masks, and a Transformer",
    "branches": "a ResNet, a GPT, a BERT and a Transformer",
    "gradients": "image classifiers, and models of language that say a next, a hidden or a translated token",
    "loss": "models of language that say a next, a hidden or a translated token",
}
"""Every kind of picture, and what it is drawn of."""


def reading(used: Use, text: str) -> Pictures:
    """What can be drawn of a model of language that reads `text`.

        pictures = lens.reading(handmade.open("runs/gpt-1"), "To be, or not to be")
        pictures["attention"]["attention.png"](Path("attention.png"))

    Of a GPT, and of a BERT with its head: attention, logit-lens, branches, gradients, loss and head-ablation; of a GPT
    also contributions, to the score of the most likely token after the text; of other models what they have of these.
    A translator is drawn as it translates the text. Of a text of one token, which nothing comes before, or of nothing
    but masks, there is none of the last three: they are of its loss.

    Raises InputError for a model that reads no text, and a text that is empty, longer than the model can see, or has
    characters that it does not know.
    """
    if not text.strip():
        raise InputError("the text is empty: give a few words for the model to read.")
    if isinstance(used, Writer):
        return _of_writer(used, text, used.tokens(text))
    if isinstance(used, Filler | Encoder):
        return _of_bert(used, text, used.tokenizer.around(text))
    if isinstance(used, Translator):
        return _of_translator(used, text)
    raise InputError(f"{used.name} does not read text.")


def _of_writer(used: Writer, text: str, tokens: list[int]) -> Pictures:
    """Loss and gradients; of a GPT all others as well."""
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
        pictures["branches"] = {"branches.png": _branches(used, [pieces], array)}
    if len(tokens) > 1:
        said = f"The loss: -log of the probability of each {_unit(pieces)} of the text, the mean of {len(tokens) - 1}."
        pictures["gradients"] = {"gradients.png": _gradients(used, text_loss(model, array), said)}
        pictures["loss"] = {"loss.png": loss}
        if isinstance(model, GPT):
            pictures["head-ablation"] = {"head-ablation.png": _head_ablation(used, text, _unit(pieces))}
    if not pictures:
        raise InputError("the text has 1 token, expected two at least: what follows the first?")
    return pictures


def _of_bert(used: Filler | Encoder, text: str, tokens: list[int]) -> Pictures:
    """Attention and branches; with the head that fills in masks all others as well. Tokens are from [CLS] to [SEP]."""
    model, tokenizer = used.model, used.tokenizer
    _require_room(len(tokens), model.config.max_position_embeddings)
    array, names = np.array(tokens), tokenizer.pieces(tokens)
    pictures: Pictures = {
        "attention": {"attention.png": _attention(used, array, names)},
        "branches": {"branches.png": _branches(used, [names], array)},
    }
    if isinstance(model, BertForMaskedLM):
        mask, decode = tokenizer.mask, tokenizer.pieces
        wanted = [None if token == mask else said for token, said in zip(tokens, names, strict=True)]
        pictures["logit-lens"] = {"logit-lens.png": _logit_lens(used.name, model, decode, array, wanted)}

        def loss(path: Path) -> None:
            nats = masked_losses(model, array, mask)
            draw_surprise(path, decode(tokens[1:-1]), nats, "token", _surprised(used))

        asked = sum(token != mask for token in tokens[1:-1])
        if asked:
            said = f"The loss: -log of the probability of each token while it is hidden, the mean of {asked}."
            pictures["gradients"] = {"gradients.png": _gradients(used, hidden_loss(model, array, mask), said)}
            pictures["loss"] = {"loss.png": loss}
            pictures["head-ablation"] = {"head-ablation.png": _head_ablation(used, text, "token")}
    return pictures


def _of_translator(used: Translator, text: str) -> Pictures:
    """Attention (of a Transformer to the source, to the target, and between them), loss and gradients of its
    translation; of a Transformer also its branches and heads."""
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
    said = f"The loss: -log of the probability of each token of the translation, the mean of {len(target) - 1}."
    pictures["gradients"] = {"gradients.png": _gradients(used, translation_loss(model, source, target), said)}
    pictures["loss"] = {"loss.png": loss}
    if isinstance(model, Transformer):
        pictures["branches"] = {"branches.png": _branches(used, [read, written[:-1]], source, target[:-1])}
        pictures["head-ablation"] = {"head-ablation.png": _head_ablation(used, text, _unit(written))}
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


def _branches(used: Use, texts: Sequence[Sequence[str]], *inputs: np.ndarray) -> Draw:
    def draw(path: Path) -> None:
        added = added_by_branches(used.model, *(Tensor(tokens[None]) for tokens in inputs))
        of = f"Lengths are means over the {' and '.join(str(len(one)) for one in texts)} tokens that are read."
        draw_added(path, added, f"{used.name}: what each branch adds to the residual stream", of)

    return draw


def _gradients(used: Use, loss: Loss, of: str) -> Draw:
    title = f"{used.name}: how large the gradient is, layer by layer"
    return lambda path: draw_gradients(path, gradients_by_layer(used.model, loss), title, of)


def _head_ablation(used: Use, text: str, unit: str) -> Draw:
    def draw(path: Path) -> None:
        read = text_read(used, text, sys.maxsize)
        without, loss = read.without(), read.loss()
        assert without is not None
        names = [f"layer {part.name}" if part.name.isdigit() else part.name for part in read.parts]
        draw_head_ablation(path, without, loss, names, f"{used.name}: the loss without each head", unit)

    return draw


def _require_room(length: int, most: int) -> None:
    if length > most:
        raise InputError(f"the text has {length} tokens, and the model sees {most} at once: give a shorter text.")


def _surprised(used: Use) -> str:
    return f"{used.name}, how surprised it is"


def _unit(pieces: Sequence[str]) -> str:
    return "character" if max(map(len, pieces)) == 1 else "token"
