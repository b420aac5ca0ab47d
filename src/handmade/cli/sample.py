"""handmade sample: a trained language model writes."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from handmade.errors import InputError

if TYPE_CHECKING:
    from handmade.tasks import LanguageModelling
    from handmade.tasks.language.writer import Writer


def sample(
    run: Annotated[str, typer.Argument(help="The folder of a run, as runs/gpt-1; or gpt2, gpt2-medium, ...")],
    prompt: Annotated[str, typer.Option(help="How the text begins; each line, for a model of lines.")] = "",
    length: Annotated[
        int, typer.Option("--length", "--max-tokens", help="How many characters (tokens, for GPT-2) to write.")
    ] = 500,
    samples: Annotated[int, typer.Option(help="Write so many texts, at once.")] = 1,
    temperature: Annotated[
        float, typer.Option(help="0 takes the likeliest character always; above 1 dares more.")
    ] = 1.0,
    top_k: Annotated[int | None, typer.Option(help="Draw from the so many likeliest characters.")] = None,
    top_p: Annotated[
        float | None, typer.Option(help="Draw from the fewest characters that have this probability together.")
    ] = None,
    repetition_penalty: Annotated[
        float, typer.Option(help="Above 1 makes likely less what was there before; 1.2 is customary for words.")
    ] = 1.0,
    stop: Annotated[list[str] | None, typer.Option(help="End before this; may be repeated.")] = None,
    seed: Annotated[int | None, typer.Option(help="Draw the same text again.")] = None,
    weights: Annotated[
        Path | None, typer.Option(help="GPT-2's weights: their file, or the folder they are in.")
    ] = None,
) -> None:
    """Write text with a trained language model, piece by piece as it is drawn."""
    import numpy as np

    if seed is not None and seed < 0:
        raise InputError(f"--seed is {seed}, expected 0 or more.")
    source = _source(run, weights)
    choice = {
        "temperature": temperature,
        "top_k": top_k,
        "top_p": top_p,
        "repetition_penalty": repetition_penalty,
        "stop": stop or [],
    }
    _say_what_is_forgotten(source, prompt)
    rng = np.random.default_rng(seed)
    if samples == 1:
        text = "\n"
        for text in source.write(prompt, length, rng, **choice):
            print(text, end="", flush=True)
        print(end="" if text == "\n" else "\n")
    else:
        print("\n---\n".join(_writer(source).write_several(prompt, samples, length, rng, **choice)))


def _source(run: str, weights: Path | None) -> "LanguageModelling | Writer":
    """What writes: a run, or published weights."""
    from handmade.models.gpt import CONFIGS
    from handmade.tasks import LanguageModelling
    from handmade.tasks.language.writer import published_writer
    from handmade.train import open_run

    published = [name for name in CONFIGS if name.startswith("gpt2")]
    if run in published and not Path(run).exists():
        return published_writer(run, weights)
    if weights is not None:
        raise InputError(f"--weights is for {', '.join(published)}; a run has its own.")
    return open_run(Path(run)).trained_task("write text", LanguageModelling)


def _writer(source: "LanguageModelling | Writer") -> "Writer":
    from handmade.tasks import LanguageModelling

    if not isinstance(source, LanguageModelling):
        return source
    if source.learns_lines:
        raise InputError("--samples is for running text; this model writes one line after another: see --length.")
    return source.writer


def _say_what_is_forgotten(source: "LanguageModelling | Writer", prompt: str) -> None:
    """A prompt may be longer than what the model sees at once."""
    block = source.model.block_size
    tokens = len(source.tokenizer.encode(prompt))
    if block is not None and tokens > block:
        typer.echo(
            f"The prompt has {tokens} tokens, and the model sees at most {block} at once: it reads on in a window that "
            f"moves by {block - block // 2}, and what has left the window is forgotten.",
            err=True,
        )
