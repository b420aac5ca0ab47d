"""Feature flow: the arrays are the lens's, and the page asks first, cuts, mends and takes an image that is dropped."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import handmade
from handmade.errors import InputError
from handmade.lens import grad_cam, inception_flow, occlusion
from handmade.lens.branches import block_flow
from handmade.lens.inception import BRANCHES
from handmade.models.resnet_cifar import CifarResNet
from handmade.tasks.images.classifier import published_classifier
from handmade.web.bench import Bench
from handmade.web.explorers import flow as flow_explorer
from handmade.web.explorers.flow import Question, answer
from handmade.web.images import Images, images_at
from handmade.web.models import Given, Models, Source, given_source
from handmade.web.observatory import Observatory
from handmade.web.questions import asked
from handmade.weights.files import save
from tests.web.conftest import Pages, number_in, running, state_of, violations


@pytest.fixture(scope="module")
def resnet(tmp_path_factory):
    """An observatory over a ResNet-20 with weights of its own, and two images in the folders of their classes."""
    folder = tmp_path_factory.mktemp("resnet")
    handmade.manual_seed(0)
    weights = {name: tensor.array for name, tensor in CifarResNet(20).state_dict().items()}
    save(folder / "weights.safetensors", weights)
    draw = np.random.default_rng(0)
    for name in ("cat", "ship"):
        (folder / name).mkdir()
        Image.fromarray(draw.integers(0, 256, (32, 32, 3)).astype(np.uint8)).save(folder / name / "0.png")
    models = Models(folder, [given_source("resnet20", str(folder / "weights.safetensors"))])
    return Observatory(models, Bench(None), Images(images_at(folder)))


def ask(observatory, **fields):
    return answer(asked(Question, json.dumps(fields).encode()), observatory)


@pytest.mark.parametrize("cut", [{}, {"layer2.1": "branch", "layer1.0": "skip"}])
def test_the_arrays_are_the_lenss(resnet, cut):
    given = ask(resnet, block="layer2.1", cut=cut, image=2)
    with resnet.models.opened("resnet20") as used:
        pixels = used.input(resnet.images.image(2))
        flow, uncut = block_flow(used.model, pixels, cut), block_flow(used.model, pixels)
    block, channels = flow.blocks[4], given.meta["channels"]["out"]
    for name, maps in (("skip", block.skip), ("branch", block.branch), ("out", block.out)):
        np.testing.assert_allclose(given.arrays[name], maps[channels], rtol=1e-3, atol=1e-3)  # float16
    others = np.delete(np.abs(uncut.blocks[4].branch).max((1, 2)), channels)
    assert others.max() <= np.abs(uncut.blocks[4].branch[channels]).max((1, 2)).min()
    assert [told["ratio"] for told in given.meta["blocks"]] == pytest.approx([b.ratio for b in flow.blocks])
    for name, logits in (("p", flow.logits), ("whole", uncut.logits)):
        exponentials = np.exp(logits - logits.max())
        np.testing.assert_allclose(given.meta[name], exponentials / exponentials.sum(), rtol=1e-4)
    assert given.meta["label"] == "ship"
    given.frame()


@pytest.mark.slow
@pytest.mark.parametrize("block", ["layer1.1", "layer2.0"])
def test_without_the_residual_the_branch_alone_is_left(resnet, block):
    given = ask(resnet, block=block, code="mistake", fault="no residual")
    expected = np.maximum(given.arrays["branch"].astype(np.float32), 0)
    np.testing.assert_allclose(given.arrays["theirs"], expected, atol=5e-3)
    assert given.meta["difference"]["out"] > 0.01
    assert "no residual" in given.meta["visible"]


def test_the_reference_of_the_exercise_is_the_block(resnet):
    given = ask(resnet, block="layer3.0", code="mistake", fault="eps outside the root")  # far below what float16 shows
    np.testing.assert_allclose(given.arrays["theirs"], given.arrays["out"], atol=2e-2)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"image": 3}, "drop one on the page"),
        ({"block": "layer9.0"}, "no block 'layer9.0'"),
        ({"cut": {"layer2": "skip"}}, "no block 'layer2'"),
        ({"model": "resnet56"}, "no model 'resnet56'"),
    ],
)
def test_what_does_not_fit_is_said(resnet, fields, said):
    with pytest.raises(InputError, match=said):
        ask(resnet, **fields)


def test_the_uncut_flow_is_kept_while_parts_are_cut(resnet, monkeypatch):
    ask(resnet, image=2)
    ran = []
    monkeypatch.setattr(flow_explorer, "block_flow", lambda *given: ran.append(given[2]) or block_flow(*given))
    ask(resnet, image=2, cut={"layer2.1": "branch"})
    assert ran == [{"layer2.1": "branch"}]
    ask(resnet, image=1)
    assert ran[1:] == [None]


def test_the_evidence_is_grad_cam_for_the_first_answer(resnet):
    given = ask(resnet, image=1, block="layer3.1", cut={"layer3.1": "skip"}, evidence=True)
    with resnet.models.opened("resnet20") as used:
        image = used.input(resnet.images.image(1))
        whole = used.classes.index(given.meta["said"])
        np.testing.assert_allclose(given.arrays["evidence"], grad_cam(used.model, image, whole, "layer3.1"), rtol=1e-5)


def test_occlusion_comes_row_by_row_and_is_that_of_the_lens(resnet, monkeypatch):
    monkeypatch.setattr(flow_explorer, "default_stride", lambda height, width: 12)  # 3 x 3 places
    first, *rows = flow_explorer.pieces(asked(Question, b'{"image": 2}'), resnet)
    with resnet.models.opened("resnet20") as used:
        pixels = used.input(resnet.images.image(2))
        probabilities = used.probabilities([resnet.images.image(2)])[0]
        said = int(probabilities.argmax())
        expected = occlusion(used.model, pixels, said, 24, 12)
    assert first["said"] == used.classes[said]
    assert first["p"] == pytest.approx(probabilities[said], rel=1e-5)
    assert (first["rows"], first["columns"], first["total"], first["patch"]) == (3, 3, 3, 24)
    assert [row["row"] for row in rows] == [0, 1, 2]
    np.testing.assert_allclose([row["drops"] for row in rows], expected, atol=1e-6)


@pytest.fixture(scope="module")
def googlenet(resnet):
    """An observatory over an untrained GoogLeNet, with the same images."""
    handmade.manual_seed(0)
    source = Source("googlenet-cifar", "googlenet-cifar", "googlenet-cifar")
    given = Given(source, published_classifier("googlenet-cifar"), 0)
    return Observatory(Models(Path("nowhere"), [given]), Bench(None), resnet.images)


@pytest.mark.slow
def test_the_four_branches_of_a_googlenet_are_the_lenss(googlenet):
    given = ask(googlenet, block="inception4a", cut={"inception3b": "branch3"})
    with googlenet.models.opened("") as used:
        image = used.input(googlenet.images.image(1))
        flow = inception_flow(used.model, image, {"inception3b": "branch3"})
        uncut = inception_flow(used.model, image)
    block = flow.blocks[2]
    assert (given.meta["kind"], given.meta["blocks"][2]["name"]) == ("inception", "inception4a")
    for branch, whole in zip(block.branches, uncut.blocks[2].branches, strict=True):
        channels = given.meta["channels"][branch.name]
        np.testing.assert_allclose(given.arrays[branch.name], branch.maps[channels], rtol=1e-3, atol=1e-3)  # float16
        strength = np.abs(whole.maps).max((1, 2))
        assert strength[channels].min() >= np.delete(strength, channels).max()
    told = given.meta["blocks"][2]["parts"]
    assert [part["multiply_adds"] for part in told] == [branch.multiply_adds for branch in block.branches]
    given.frame()
    wrong = ask(googlenet, block="inception4a", code="mistake", fault="not pooled").arrays
    apart = {name: np.abs(wrong[f"theirs/{name}"] - wrong[name]).max() / wrong[name].max() for name in BRANCHES}
    assert apart.pop("branch4") > 0.02
    assert max(apart.values()) < 0.01


@pytest.mark.slow
def test_the_page_cuts_a_branch_of_a_googlenet(browser, googlenet):
    with running(googlenet) as server:
        pages = Pages(browser, server)
        page = pages.open("/flow", width=420, bypass_csp=True, reduced_motion="reduce")
        page.get_by_role("button", name="it stays").click()
        page.get_by_text("Cut: branch 2 (3 x 3) of 4c.").wait_for()
        for key in ("ArrowRight", "4"):
            page.keyboard.press(key)
        page.get_by_text("Cut: branch 2 (3 x 3) of 4c, branch 4 (pool) of 4d.").wait_for()
        page.keyboard.press("e")
        page.get_by_text("Grad-CAM").wait_for()
        page.locator(".framed.lit").wait_for()
        assert not violations(page)
        assert page.evaluate("() => document.documentElement.scrollWidth") <= 420
        for context in pages.contexts:
            context.close()
        assert not pages.problems


@pytest.mark.slow
def test_the_page_asks_cuts_mends_and_takes_an_image(browser, resnet, tmp_path):
    with running(resnet) as server:
        pages = Pages(browser, server)
        page = pages.open("/flow", width=420, bypass_csp=True, reduced_motion="reduce")
        assert page.get_by_role("button", name=re.compile("^cut the branch")).is_disabled()
        page.get_by_role("button", name="it stays").click()
        page.get_by_test_id("says").wait_for()
        page.get_by_text("Cut: branch of 2.1.").wait_for()
        assert "cut=" in state_of(page)
        ratios = page.locator("svg text.mono[text-anchor=middle]").all_text_contents()
        blocks = ask(resnet, cut={"layer2.1": "branch"}).meta["blocks"]
        assert [number_in(text) for text in ratios] == pytest.approx([one["ratio"] for one in blocks], abs=6e-3)
        told = page.locator(".sr table").inner_text()
        for key in ("ArrowRight", "s"):
            page.keyboard.press(key)
        page.get_by_text("Cut: branch of 2.1, skip of 2.2.").wait_for()
        page.get_by_role("button", name="Switch to dark").click()
        assert not violations(page)
        page.wait_for_function("(told) => document.querySelector('.sr table').innerText !== told", arg=told)
        page.keyboard.press("m")
        page.get_by_text("Whole", exact=True).wait_for()
        assert "cut=" not in state_of(page)
        page.keyboard.press("o")
        page.locator("#occlusion").get_by_text(re.compile("Most is lost|No place")).wait_for()
        drops = page.locator(".sr table", has_text="points").locator("td").all_inner_texts()
        with resnet.models.opened("resnet20") as used:
            pixels = resnet.images.image(1)
            first = used.classes.index(page.locator("#occlusion b").first.inner_text())
            expected = 100 * occlusion(used.model, used.input(pixels), first, 6, 3)
        np.testing.assert_allclose([number_in(drop) for drop in drops], expected.ravel(), atol=0.051)
        most = page.locator("#occlusion b").nth(1).inner_text()
        assert number_in(most) == pytest.approx(
            100 * used.probabilities([pixels])[0][first] - expected.max(), abs=0.051
        )
        page.evaluate("() => { location.hash += '&image=3'; }")  # of a server that has ended
        page.get_by_role("alert").get_by_text("drop one on the page").wait_for()
        file = tmp_path / "own.png"
        Image.fromarray(np.full((20, 30, 3), 200, np.uint8)).save(file)
        page.get_by_label("choose or drop an image").set_input_files(file)
        page.get_by_role("alert").wait_for(state="detached")
        pages.forget_refusals()
        page.wait_for_function("() => location.hash.includes('image=3')")
        page.get_by_text("its folder").wait_for(state="detached")
        assert page.evaluate("() => document.documentElement.scrollWidth") <= 420
        other = pages.open(f"/flow#{state_of(page)}")
        assert other.get_by_role("button", name="block 2.2").get_attribute("aria-pressed") == "true"
        for context in pages.contexts:
            context.close()
        assert not pages.problems


@pytest.mark.slow
def test_without_a_model_the_page_says_how_to_get_one(pages):
    page = pages.open("/flow")
    page.get_by_text("handmade look resnet20 --weights FILE opens published weights").wait_for()
