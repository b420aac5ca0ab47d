"""handmade picture --text: models of language, whatever they are."""

import pytest
import torch
from tokenizers import ByteLevelBPETokenizer

from handmade import weights
from handmade.models import ZOO, Card
from handmade.models.gpt import CONFIGS, GPT, GPTConfig
from tests.support.pictures import colours

SMALL = {
    "gpt-cpu": ["n_layer=1", "n_head=2", "n_embd=8", "sequence_length=16", "epoch_steps=1"],
    "bert": ["merges=5", "num_layers=1", "num_heads=2", "hidden_size=8", "sequence_length=16"],
    "char-gru": ["hidden_size=8", "num_layers=1", "embedding_dim=4"],
    "names-gru": ["hidden_size=8", "embedding_dim=4"],
    "transformer": ["d_model=16", "num_heads=2", "num_layers=1", "dim_feedforward=16"],
    "seq2seq-attention": ["hidden_size=8", "embedding_dim=4"],
    "seq2seq": ["hidden_size=8", "embedding_dim=4"],
}
GPT_KINDS = ["attention", "logit-lens", "contributions", "branches", "gradients", "loss", "head-ablation"]
DRAWN = {
    "gpt-cpu": [f"{kind}.png" for kind in GPT_KINDS],
    "bert": [f"{kind}.png" for kind in GPT_KINDS if kind != "contributions"],
    "char-gru": ["gradients.png", "loss.png"],
    "transformer": [
        *(f"attention-{part}.png" for part in ("encoder", "decoder", "cross")),
        *(f"{kind}.png" for kind in ("branches", "gradients", "loss", "head-ablation")),
    ],
    "seq2seq-attention": ["attention.png", "gradients.png", "loss.png"],
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """The folder of this module's runs."""
    return tmp_path_factory.mktemp("runs")


@pytest.fixture
def trained(handmade, runs):
    """Trains a small model of a kind for a step, once for all tests; its run's folder."""
    text_file, pairs = runs / "text.txt", runs / "a.txt"
    text_file.write_text("To be, or not to be: that is the question.\n" * 30)
    pairs.write_text("ab cd\nba dc\n" * 10)

    def train(model):
        folder = runs / model
        if folder.exists():
            return folder
        data = [] if model in ("names-gru", "transformer", "seq2seq", "seq2seq-attention") else [f"text:{text_file}"]
        options = [part for name in data for part in ("--data", name)]
        if not data and model != "names-gru":
            options = ["--data", f"parallel:{pairs},{pairs}", "--set", "merges=3"]
        options += [part for change in [*SMALL[model], "batch_size=40"] for part in ("--set", change)]
        ran = handmade("train", model, *options, "--steps", 1, "--out", folder)
        assert ran.code == 0, ran.err
        return folder

    return train


@pytest.mark.slow
@pytest.mark.parametrize("model", DRAWN)
def test_all_pictures_of_a_run(handmade, trained, tmp_path, model):
    text = "ab dc" if model.startswith(("seq", "trans")) else "to be or not"
    ran = handmade("picture", trained(model), "--text", text, "--out", tmp_path / "out")
    assert ran.code == 0, ran.err
    assert sorted(ran.out.splitlines()) == sorted(str(tmp_path / "out" / name) for name in DRAWN[model])
    for name in DRAWN[model]:
        assert colours(tmp_path / "out" / name) > 50


@pytest.mark.slow
def test_lines_begin_after_a_line_end(handmade, trained, tmp_path):
    ran = handmade("picture", trained("names-gru"), "--text", "e", "--what", "loss", "--out", tmp_path / "out")
    assert ran.code == 0, ran.err


@pytest.mark.slow
def test_published_minilm(handmade, tmp_path):
    options = ["--weights", "minilm", "--text", "A baby.", "--out", tmp_path / "out"]
    ran = handmade("picture", "minilm", *options)
    assert ran.code == 0, ran.err
    assert ran.out.splitlines() == [str(tmp_path / "out" / name) for name in ("attention.png", "branches.png")]


@pytest.fixture
def gpt_folder(tmp_path, monkeypatch):
    """A published GPT of its own: weights, vocab.json and merges.txt."""
    folder = tmp_path / "published"
    folder.mkdir()
    tokenizer = ByteLevelBPETokenizer()
    tokenizer.train_from_iterator(["to be or not to be"] * 3, vocab_size=270, min_frequency=1, show_progress=False)
    tokenizer.save_model(str(folder))
    config = GPTConfig(tokenizer.get_vocab_size(), 8, n_layer=1, n_head=2, n_embd=8)
    weights.save(folder / "model.safetensors", {n: t.numpy() for n, t in GPT(config).state_dict().items()})
    monkeypatch.setitem(CONFIGS, "gpt2", config)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("what", ["folder", "file"])
def test_a_published_gpt_by_path(handmade, gpt_folder, tmp_path, what):
    path = gpt_folder if what == "folder" else gpt_folder / "model.safetensors"
    what = ["--what", "attention,logit-lens,contributions,loss"]
    ran = handmade("picture", "gpt2", "--weights", path, "--text", "to be", *what, "--out", tmp_path / "out")
    assert ran.code == 0, ran.err
    assert len(ran.out.splitlines()) == 4


# ---- what makes no sense


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["minilm"], "give either --image, for an image classifier, or --text, for a language model."),
        (["minilm", "--text", "a", "--image", "b.png"], "give either --image"),
        (["minilm", "--text", " \n"], "--text is empty: give a few words for the model to read."),
        (["minilm", "--text", "word " * 600], "the text has 602 tokens, and the model sees 512 at once"),
        (
            ["minilm", "--text", "a", "--what", "loss"],
            "there is no 'loss' of minilm: it is drawn of models of language that say",
        ),
        (["minilm", "--text", "a", "--layer", "x"], "--layer and --class are for images"),
        (["resnet20", "--text", "a"], "resnet20 does not read text."),
        (["gpt2", "--text", "a"], "gpt2 writes with published weights: download model.safetensors, vocab.json"),
        (["mnilm", "--text", "a"], "neither the folder of a run nor a model of the zoo; did you mean 'minilm'?"),
        (["minilm", "--weights", "none.safetensors", "--text", "a"], "no weights file none.safetensors"),
    ],
)
def test_one_sentence(handmade, gpt_folder, tmp_path, monkeypatch, arguments, message):
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    ran = handmade("picture", *arguments)
    assert ran.code == 2
    assert message in ran.err
    assert not list(tmp_path.glob("work/*")), "nothing is made before all is known to be right"


@pytest.mark.slow
def test_an_untrained_model_is_called_untrained(handmade, tmp_path):
    ran = handmade("picture", "minilm", "--text", "a b", "--out", tmp_path / "out")
    assert ran.code == 0
    assert ran.out.startswith("minilm is untrained, so its pictures mean nothing: give trained weights")


@pytest.mark.slow
def test_runs_that_cannot_read_it(handmade, trained, tmp_path):
    folder = trained("gpt-cpu")
    assert "is not among the 18 characters of the vocabulary" in handmade("picture", folder, "--text", "Zürich").err
    assert "has 20 tokens, and the model sees 16 at once" in handmade("picture", folder, "--text", "b" * 20).err
    assert "has weights of its own" in handmade("picture", folder, "--text", "be", "--weights", "gpt2").err
    assert (
        "there is no 'attention' of seq2seq"
        in handmade("picture", trained("seq2seq"), "--text", "ab", "--what", "attention").err
    )


@pytest.mark.slow
def test_no_weights_of_another_configuration(handmade, gpt_folder):
    ran = handmade("picture", "minilm", "--weights", gpt_folder / "model.safetensors", "--text", "a")
    assert ran.code == 2
    assert "missing: embeddings.word_embeddings.weight" in ran.err


@pytest.mark.slow
def test_bert_of_transformers_with_its_head(handmade, tmp_path, monkeypatch):
    """A folder as the transformers library saves it."""
    from transformers import BertConfig as TheirConfig
    from transformers import BertForMaskedLM as TheirMaskedLM

    from handmade.models.bert import CONFIGURATIONS, BertConfig, BertModel

    sizes = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}
    torch.manual_seed(0)
    TheirMaskedLM(TheirConfig(**sizes)).save_pretrained(tmp_path / "published")
    config = BertConfig(**sizes)
    monkeypatch.setitem(CONFIGURATIONS, "bert-base-uncased", config)
    card = Card("bert-base-uncased", lambda: BertModel(config), 2019, "", 0, (8,), "")
    monkeypatch.setitem(ZOO, "bert-base-uncased", card)
    options = ["--weights", tmp_path / "published", "--text", "a [MASK] cat", "--out", tmp_path / "out"]
    options += ["--what", "attention,logit-lens,loss"]
    ran = handmade("picture", "bert-base-uncased", *options)
    assert ran.code == 0, ran.err
    assert len(ran.out.splitlines()) == 3


@pytest.mark.slow
def test_letters_that_the_font_lacks_are_written_otherwise(handmade, tmp_path):
    ran = handmade("picture", "minilm", "--weights", "minilm", "--text", "a 猫 🙂", "--out", tmp_path / "out")
    assert ran.code == 0, ran.err


# ---- where the pictures go


@pytest.mark.slow
def test_a_text_of_one_token_has_no_loss(handmade, trained, tmp_path, monkeypatch):
    folder = trained("gpt-cpu")
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    for kind in ("loss", "head-ablation"):
        ran = handmade("picture", folder, "--text", "b", "--what", f"attention,{kind}")
        assert ran.code == 2
        assert "--what: the text has 1 token, and loss needs two at least: what follows the first?" in ran.err
    assert not list(tmp_path.glob("work/*"))
    ran = handmade("picture", folder, "--text", "b")
    assert ran.code == 0, ran.err
    assert ran.out.splitlines() == [
        "the text has 1 token, and loss needs two at least: what follows the first?",
        "pictures/gpt-cpu-b/attention.png",
        "pictures/gpt-cpu-b/logit-lens.png",
        "pictures/gpt-cpu-b/contributions.png",
        "pictures/gpt-cpu-b/branches.png",
    ]


@pytest.mark.slow
def test_pictures_of_one_text_do_not_replace_those_of_another(handmade, trained, tmp_path, monkeypatch):
    folder = trained("char-gru")
    monkeypatch.chdir(tmp_path)
    texts = ["to be, or not", "to be or not", "to be, or not", "to"]
    drawn = [handmade("picture", folder, "--text", text, "--what", "loss").out.strip() for text in texts]
    assert drawn == [
        f"pictures/{name}/loss.png"
        for name in ("char-gru-to-be-or-not", "char-gru-to-be-or-not-2", "char-gru-to-be-or-not", "char-gru-to")
    ]
    earlier = tmp_path / "pictures" / "char-gru-the"  # of an earlier version, or the user's own
    earlier.mkdir()
    assert (
        handmade("picture", folder, "--text", "the", "--what", "loss").out.strip() == "pictures/char-gru-the-2/loss.png"
    )
    assert not list(earlier.iterdir())
