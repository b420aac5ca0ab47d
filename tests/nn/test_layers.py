"""Every layer against PyTorch's: values, gradients, buffers, repr, and what it says about inputs that do not fit."""

import numpy as np
import pytest
import torch

import handmade
from handmade import nn, tensor
from tests.support.against_torch import check_layer

LAYERS = {
    "linear": (lambda nn: nn.Linear(5, 3), (4, 2, 5)),
    "linear, no bias": (lambda nn: nn.Linear(5, 3, bias=False), (4, 5)),
    "linear, one vector": (lambda nn: nn.Linear(5, 3), (5,)),
    "conv1d": (lambda nn: nn.Conv1d(4, 6, 3, stride=2, padding=2, dilation=2, groups=2), (3, 4, 11)),
    "conv1d same": (lambda nn: nn.Conv1d(4, 6, 4, padding="same", bias=False), (3, 4, 9)),
    "conv2d": (lambda nn: nn.Conv2d(3, 4, 3), (2, 3, 7, 9)),
    "conv2d, pairs": (lambda nn: nn.Conv2d(4, 6, (3, 2), (2, 1), (1, 2), (1, 2), groups=2, bias=False), (2, 4, 8, 7)),
    "conv2d same": (lambda nn: nn.Conv2d(3, 4, (4, 3), padding="same", dilation=(3, 2)), (2, 3, 11, 8)),
    "conv2d valid": (lambda nn: nn.Conv2d(3, 4, 3, stride=2, padding="valid"), (2, 3, 7, 6)),
    "conv2d depthwise": (lambda nn: nn.Conv2d(6, 6, 3, padding=1, groups=6), (2, 6, 5, 7)),
    "conv_transpose2d": (lambda nn: nn.ConvTranspose2d(4, 6, (3, 2), 2, 1, (1, 0), 2, True, (1, 2)), (2, 4, 5, 6)),
    "conv_transpose1d": (lambda nn: nn.ConvTranspose1d(4, 6, 3, 2, 1, 1, 2), (2, 4, 5)),
    "conv2d reflect": (lambda nn: nn.Conv2d(3, 4, 3, padding=(1, 2), padding_mode="reflect"), (2, 3, 6, 5)),
    "conv2d replicate": (lambda nn: nn.Conv2d(3, 4, 3, 2, 1, bias=False, padding_mode="replicate"), (2, 3, 6, 5)),
    "conv1d circular": (lambda nn: nn.Conv1d(3, 4, 4, padding="same", padding_mode="circular"), (2, 3, 9)),
    "max_pool2d": (lambda nn: nn.MaxPool2d(2), (2, 3, 7, 9)),
    "max_pool2d, overlapping": (lambda nn: nn.MaxPool2d((3, 2), 2, 1, (2, 1), ceil_mode=True), (2, 3, 8, 9)),
    "avg_pool2d": (lambda nn: nn.AvgPool2d(3), (2, 3, 8, 9)),
    "avg_pool2d, padded": (
        lambda nn: nn.AvgPool2d((3, 2), (2, 1), 1, ceil_mode=True, count_include_pad=False),
        (2, 3, 8, 9),
    ),
    "adaptive_avg_pool2d": (lambda nn: nn.AdaptiveAvgPool2d(3), (2, 3, 7, 8)),
    "adaptive_avg_pool2d, one axis": (lambda nn: nn.AdaptiveAvgPool2d((None, 2)), (2, 3, 5, 7)),
    "batch_norm1d": (lambda nn: nn.BatchNorm1d(4), (6, 4)),
    "batch_norm1d, sequences": (lambda nn: nn.BatchNorm1d(4, eps=0.1, momentum=0.3), (3, 4, 5)),
    "batch_norm2d": (lambda nn: nn.BatchNorm2d(4, eps=0.1), (3, 4, 5, 2)),
    "batch_norm2d, average": (lambda nn: nn.BatchNorm2d(4, momentum=None), (3, 4, 5, 2)),
    "batch_norm2d, plain": (lambda nn: nn.BatchNorm2d(4, affine=False, track_running_stats=False), (3, 4, 5, 2)),
    "batch_norm2d, no bias": (lambda nn: nn.BatchNorm2d(4, bias=False), (3, 4, 5, 2)),
    "batch_norm3d": (lambda nn: nn.BatchNorm3d(3), (2, 3, 2, 3, 4)),
    "group_norm, no bias": (lambda nn: nn.GroupNorm(2, 4, bias=False), (3, 4, 5)),
    "instance_norm1d": (lambda nn: nn.InstanceNorm1d(3), (2, 3, 7)),
    "instance_norm1d, one sample": (lambda nn: nn.InstanceNorm1d(3, affine=True), (3, 7)),
    "instance_norm2d": (lambda nn: nn.InstanceNorm2d(3, 0.1, 0.3, True, True), (2, 3, 4, 5)),
    "instance_norm3d": (lambda nn: nn.InstanceNorm3d(3, affine=True, bias=False), (2, 3, 2, 3, 4)),
    "layer_norm": (lambda nn: nn.LayerNorm(5, eps=0.1), (3, 2, 5)),
    "layer_norm, two axes": (lambda nn: nn.LayerNorm((4, 5), bias=False), (3, 4, 5)),
    "layer_norm, plain": (lambda nn: nn.LayerNorm([5], elementwise_affine=False), (3, 5)),
    "group_norm": (lambda nn: nn.GroupNorm(2, 6, eps=0.1), (3, 6, 4, 5)),
    "group_norm, plain": (lambda nn: nn.GroupNorm(3, 6, affine=False), (3, 6)),
    "local_response_norm": (lambda nn: nn.LocalResponseNorm(4, alpha=0.5, beta=0.6, k=1.5), (2, 7, 3, 4)),
    "rms_norm": (lambda nn: nn.RMSNorm(5), (3, 2, 5)),
    "rms_norm, plain": (lambda nn: nn.RMSNorm((4, 5), eps=0.1, elementwise_affine=False), (3, 4, 5)),
    "relu": (lambda nn: nn.ReLU(), (3, 5)),
    "relu6": (lambda nn: nn.Sequential(nn.Linear(5, 7), nn.ReLU6()), (30, 5)),
    "gelu": (lambda nn: nn.GELU(), (3, 5)),
    "gelu, tanh": (lambda nn: nn.GELU("tanh"), (3, 5)),
    "silu": (lambda nn: nn.SiLU(), (3, 5)),
    "tanh": (lambda nn: nn.Tanh(), (3, 5)),
    "sigmoid": (lambda nn: nn.Sigmoid(), (3, 5)),
    "softmax": (lambda nn: nn.Softmax(1), (3, 5, 2)),
    "log_softmax": (lambda nn: nn.LogSoftmax(dim=-1), (3, 5, 2)),
    "leaky_relu": (lambda nn: nn.LeakyReLU(0.2), (3, 5)),
    "elu": (lambda nn: nn.ELU(), (3, 5)),
    "celu": (lambda nn: nn.CELU(0.5), (3, 5)),
    "selu": (lambda nn: nn.SELU(), (3, 5)),
    "softplus": (lambda nn: nn.Softplus(2.0, 3.0), (3, 5)),
    "mish": (lambda nn: nn.Mish(), (3, 5)),
    "hardtanh": (lambda nn: nn.Hardtanh(-0.5, 0.7), (3, 5)),
    "hardswish": (lambda nn: nn.Hardswish(), (3, 5)),
    "softsign": (lambda nn: nn.Softsign(), (3, 5)),
    "log_sigmoid": (lambda nn: nn.LogSigmoid(), (3, 5)),
    "tanhshrink": (lambda nn: nn.Tanhshrink(), (3, 5)),
    "glu": (lambda nn: nn.GLU(1), (3, 6)),
    "prelu": (lambda nn: nn.PReLU(4), (3, 4, 5)),
    "max_pool1d": (lambda nn: nn.MaxPool1d(3, 2, 1), (2, 3, 8)),
    "max_pool2d, one image": (lambda nn: nn.MaxPool2d(2), (3, 7, 9)),
    "conv2d, one image": (lambda nn: nn.Conv2d(3, 4, 3), (3, 7, 6)),
    "adaptive_avg_pool1d": (lambda nn: nn.AdaptiveAvgPool1d(3), (2, 3, 8)),
    "threshold": (lambda nn: nn.Threshold(0.1, 20.0), (3, 5)),
    "softmin": (lambda nn: nn.Softmin(1), (3, 5)),
    "softmax2d": (lambda nn: nn.Softmax2d(), (2, 3, 4, 5)),
    "pixel_shuffle": (lambda nn: nn.PixelShuffle(2), (2, 8, 3, 4)),
    "pixel_unshuffle": (lambda nn: nn.PixelUnshuffle(2), (2, 3, 4, 6)),
    "unfold": (lambda nn: nn.Unfold((2, 3), 1, (1, 0), 2), (2, 3, 6, 7)),
    "fold": (lambda nn: nn.Fold((6, 7), 3, padding=1, stride=2), (2, 18, 12)),
    "constant_pad1d": (lambda nn: nn.ConstantPad1d((1, 2), 0.5), (2, 3, 4)),
    "constant_pad2d": (lambda nn: nn.ConstantPad2d(1, -2.0), (3, 4, 5)),
    "zero_pad1d": (lambda nn: nn.ZeroPad1d((2, -1)), (2, 3, 4)),
    "zero_pad2d": (lambda nn: nn.ZeroPad2d((1, 0, 2, 0)), (2, 3, 4, 5)),
    "reflection_pad1d": (lambda nn: nn.ReflectionPad1d((1, 2)), (2, 3, 4)),
    "reflection_pad2d": (lambda nn: nn.ReflectionPad2d((1, 2, 3, 0)), (2, 3, 4, 5)),
    "replication_pad1d": (lambda nn: nn.ReplicationPad1d(3), (2, 3, 4)),
    "replication_pad2d": (lambda nn: nn.ReplicationPad2d(2), (2, 3, 4, 5)),
    "circular_pad1d": (lambda nn: nn.CircularPad1d((1, 2)), (2, 3, 4)),
    "circular_pad2d": (lambda nn: nn.CircularPad2d((1, 2, 0, 3)), (2, 3, 4, 5)),
    "unflatten": (lambda nn: nn.Unflatten(1, (2, 3)), (4, 6)),
    "identity": (lambda nn: nn.Identity(54, unused=True), (3, 5)),
    "flatten": (lambda nn: nn.Flatten(), (3, 5, 2, 4)),
    "flatten, some axes": (lambda nn: nn.Flatten(1, 2), (3, 5, 2, 4)),
}


@pytest.mark.filterwarnings("ignore:Using padding=.same. with even kernel:UserWarning")  # PyTorch's
@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
@pytest.mark.parametrize("name", LAYERS)
def test_layers_compute_what_pytorchs_do(name, training, rng):
    make, shape = LAYERS[name]
    terms = 1.0 if name == "group_norm, plain" else 0.0  # of two numbers normalised, gradients cancel to all but eps
    check_layer(make, 2 * rng.standard_normal(shape) + 0.3, training=training, terms=terms)


@pytest.mark.parametrize("name", LAYERS)
def test_layers_are_shown_as_pytorchs_are(name):
    make, _ = LAYERS[name]
    expected = repr(make(torch.nn))
    assert repr(make(nn)) == expected


TWO_INPUTS = {
    "kl_div": lambda nn: nn.KLDivLoss(reduction="batchmean"),
    "smooth_l1": lambda nn: nn.SmoothL1Loss(beta=0.5),
    "huber": lambda nn: nn.HuberLoss(delta=0.4),
    "poisson_nll": lambda nn: nn.PoissonNLLLoss(),
    "cosine_similarity": lambda nn: nn.CosineSimilarity(),
    "pairwise_distance": lambda nn: nn.PairwiseDistance(),
}


@pytest.mark.parametrize("name", TWO_INPUTS)
def test_losses_and_distances_of_two_inputs_are_pytorchs(name, rng):
    check_layer(TWO_INPUTS[name], rng.standard_normal((3, 5)), rng.random((3, 5)))


def test_losses_with_probabilities_and_margins_are_pytorchs(rng):
    check_layer(lambda nn: nn.BCELoss(), rng.random((3, 5)), rng.random((3, 5)))
    signs = 2 * rng.integers(0, 2, 4) - 1.0
    check_layer(lambda nn: nn.SoftMarginLoss(), rng.standard_normal(4), signs.astype(int))
    check_layer(lambda nn: nn.HingeEmbeddingLoss(0.5), rng.standard_normal(4), signs.astype(int))
    pair = [rng.standard_normal((4, 3)) for _ in range(3)]
    check_layer(lambda nn: nn.MarginRankingLoss(0.5), pair[0][:, 0], pair[1][:, 0], signs.astype(int))
    check_layer(lambda nn: nn.CosineEmbeddingLoss(0.1), *pair[:2], signs.astype(int))
    check_layer(lambda nn: nn.TripletMarginLoss(swap=True), *pair)


def test_hardsigmoid_is_pytorchs_but_for_its_sixth():
    x = np.linspace(-4, 4, 9)  # at which no limit is met; PyTorch's slope in float64 is a sixth rounded to float32
    ours, theirs = tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    value, expected = nn.Hardsigmoid()(ours), torch.nn.Hardsigmoid()(theirs)
    value.sum().backward()
    expected.sum().backward()
    np.testing.assert_allclose(value.numpy(), expected.detach().numpy(), rtol=0, atol=1e-7)
    np.testing.assert_allclose(ours.grad.numpy(), theirs.grad.numpy(), rtol=0, atol=1e-7)


def test_upsampled_images_are_pytorchs(rng):
    for options in (
        {"scale_factor": 2},
        {"size": (7, 3), "mode": "bilinear"},
        {"scale_factor": 1.5, "mode": "bilinear"},
    ):
        check_layer(lambda nn, options=options: nn.Upsample(**options), rng.standard_normal((2, 3, 4, 5)))


def test_dropout2d_drops_whole_channels():
    kept = nn.Dropout2d(0.5)(handmade.ones(20, 10, 3, 4)).numpy()
    assert set(np.unique(kept)) == {0.0, 2.0}
    assert (kept == kept[:, :, :1, :1]).all()
    x = handmade.randn(2, 3, 4, 4)
    assert nn.Dropout2d().eval()(x) is x


def test_modules_take_pytorchs_device_and_dtype():
    layer = nn.Linear(2, 3, device="cpu", dtype=handmade.float64)
    assert layer.weight.dtype == handmade.float64
    assert layer.to(handmade.device("cpu")) is layer
    assert layer.to("cpu", handmade.float32, True).weight.dtype == handmade.float32
    with pytest.raises(RuntimeError, match=r"device is 'cuda'.*--engine torch"):
        nn.Linear(2, 3, device="cuda")
    with pytest.raises(RuntimeError, match=r"--engine torch"):
        layer.cuda()


def test_an_embedding_of_a_given_table():
    table = handmade.randn(4, 3)
    layer = nn.Embedding.from_pretrained(table)
    assert layer(tensor([2])).tolist() == table[2:3].tolist()
    assert not layer.weight.requires_grad


def test_a_list_of_parameters_is_registered():
    layers = nn.ParameterList([handmade.ones(2), handmade.zeros(3)])
    assert [name for name, _ in layers.named_parameters()] == ["0", "1"]
    assert len(layers) == 2
    assert layers[1].shape == (3,)


def test_embedding_equals_pytorchs_and_does_not_learn_its_padding(rng):
    indices = rng.integers(0, 7, (3, 4))
    indices[0, :2] = 6
    for padding_idx in (None, 2, -1):
        check_layer(lambda nn, i=padding_idx: nn.Embedding(7, 5, padding_idx=i), indices)
    layer = nn.Embedding(7, 5, padding_idx=-1)
    assert repr(layer) == repr(torch.nn.Embedding(7, 5, padding_idx=-1))
    assert repr(nn.Embedding(7, 5)) == "Embedding(7, 5)"
    assert layer.padding_idx == 6
    assert not layer.weight.numpy()[6].any()
    assert layer.weight.numpy()[:6].all()


def test_embedding_refuses_a_padding_row_it_does_not_have():
    with pytest.raises(ValueError, match="padding_idx is 7; the table has 7 rows"):
        nn.Embedding(7, 5, padding_idx=7)


def test_embedding_refuses_indices_outside_of_its_table_and_floats():
    with pytest.raises(IndexError, match=r"index 7 is outside the table, which has 7 rows"):
        nn.Embedding(7, 5)(tensor([1, 7]))
    with pytest.raises(TypeError, match="indices are float32, expected integers"):
        nn.Embedding(7, 5)(tensor([1.0]))


def test_dropout_drops_in_training_only_and_keeps_the_mean():
    layer = nn.Dropout(0.3)
    x = handmade.ones(200, 300, requires_grad=True)
    y = layer(x)
    dropped = y.numpy() == 0
    assert abs(dropped.mean() - 0.3) < 0.01
    np.testing.assert_allclose(y.numpy()[~dropped], 1 / 0.7, rtol=1e-6)
    cotangent = np.random.default_rng(0).standard_normal(x.shape).astype(np.float32)
    y.backward(cotangent)
    np.testing.assert_allclose(x.grad.numpy(), cotangent * y.numpy())
    assert layer.eval()(x) is x
    assert repr(layer) == "Dropout(p=0.3)"


def test_dropout_repeats_after_the_same_seed_and_differs_otherwise():
    layer, x = nn.Dropout(), handmade.ones(50)
    handmade.manual_seed(3)
    first, second = layer(x), layer(x)
    handmade.manual_seed(3)
    assert (layer(x) == first).all()
    assert not (second == first).all()


@pytest.mark.parametrize("p", [-0.1, 1.1])
def test_dropout_refuses_what_is_no_probability(p):
    with pytest.raises(ValueError, match="expected a probability from 0 to 1"):
        nn.Dropout(p)
    with pytest.raises(ValueError, match="expected a probability from 0 to 1"):
        nn.functional.dropout(handmade.ones(2), p, training=False)


def test_batch_norm_counts_batches_and_moves_running_statistics_over_several(rng):
    for momentum in (0.2, None):
        ours, theirs = (
            nn.BatchNorm2d(3, momentum=momentum).double(),
            torch.nn.BatchNorm2d(3, momentum=momentum).double(),
        )
        for _ in range(4):
            x = rng.standard_normal((5, 3, 2, 4)) * 2 + 1
            ours(tensor(x)), theirs(torch.tensor(x))
        assert ours.num_batches_tracked.item() == 4
        np.testing.assert_allclose(ours.running_mean.numpy(), theirs.running_mean.numpy(), rtol=1e-12)
        np.testing.assert_allclose(ours.running_var.numpy(), theirs.running_var.numpy(), rtol=1e-12)
        before = ours.running_mean.numpy().copy()
        ours.eval()(tensor(x))
        assert ours.num_batches_tracked.item() == 4
        assert (ours.running_mean.numpy() == before).all()


def test_an_evaluation_graph_survives_a_training_step_that_moves_the_statistics(rng):
    layer = nn.BatchNorm1d(3)
    layer.running_mean.copy_([1.0, 2.0, 3.0])
    x = tensor(rng.standard_normal((4, 3)), dtype=handmade.float32)
    y = layer.eval()(x).sum()
    layer.train()(x + 5)
    y.backward()
    expected = (x.numpy() - np.array([1, 2, 3], np.float32)).sum(0) / np.sqrt(1 + 1e-5)
    np.testing.assert_allclose(layer.weight.grad.numpy(), expected, rtol=1e-5)


def test_batch_norm_needs_more_than_one_value_a_channel():
    with pytest.raises(ValueError, match=r"\(1, 3\) has 1 value"):
        nn.BatchNorm1d(3)(handmade.ones(1, 3))


MISFITS = {
    "linear": (lambda: nn.Linear(5, 3), (2, 4), r"linear.*\(2, 4\).*\(3, 5\)"),
    "conv1d": (lambda: nn.Conv1d(4, 6, 3), (2, 5, 9), r"conv1d.*\(2, 5, 9\).*\(6, 4, 3\)"),
    "conv2d": (lambda: nn.Conv2d(4, 6, 3), (2, 3, 8, 7), r"conv2d.*\(2, 3, 8, 7\).*\(6, 4, 3, 3\)"),
    "conv2d, two axes": (lambda: nn.Conv2d(4, 6, 3), (8, 7), r"conv2d.*\(N, C, H, W\).*\(8, 7\)"),
    "conv_transpose2d": (lambda: nn.ConvTranspose2d(4, 6, 3), (2, 3, 8, 7), r"\(2, 3, 8, 7\).*\(4, 6, 3, 3\)"),
    "max_pool2d": (lambda: nn.MaxPool2d(2), (8, 7), r"max_pool2d.*\(N, C, H, W\).*\(8, 7\)"),
    "adaptive_avg_pool2d": (lambda: nn.AdaptiveAvgPool2d(2), (8,), r"adaptive_avg_pool2d.*\(N, C, H, W\).*\(8,\)"),
    "batch_norm1d": (lambda: nn.BatchNorm1d(4), (2, 4, 3, 3), r"BatchNorm1d.*\(2, 4, 3, 3\).*\(N, C\) or \(N, C, L\)"),
    "batch_norm2d, axes": (lambda: nn.BatchNorm2d(4), (2, 4), r"BatchNorm2d.*\(2, 4\).*\(N, C, H, W\)"),
    "batch_norm2d": (lambda: nn.BatchNorm2d(4).eval(), (2, 3, 5, 6), r"batch_norm.*\(4,\).*\(3,\).*\(2, 3, 5, 6\)"),
    "layer_norm": (lambda: nn.LayerNorm(4), (2, 3), r"layer_norm.*\(2, 3\).*\(4,\)"),
    "group_norm": (lambda: nn.GroupNorm(2, 4), (2, 6, 3), r"group_norm.*\(4,\).*\(6,\).*\(2, 6, 3\)"),
    "rms_norm": (lambda: nn.RMSNorm((3, 4)), (2, 4), r"rms_norm.*\(2, 4\).*\(3, 4\)"),
}


@pytest.mark.parametrize("name", MISFITS)
def test_shapes_that_do_not_fit_are_both_named_with_the_operation(name):
    make, shape, message = MISFITS[name]
    with pytest.raises(ValueError, match=message):
        make()(handmade.ones(shape))


def test_batch_norm_that_refuses_an_input_leaves_its_statistics_alone():
    layer = nn.BatchNorm2d(4)
    with pytest.raises(ValueError, match="batch_norm"):
        layer(handmade.randn(2, 3, 5, 6))
    assert not layer.running_mean.numpy().any()


FLOAT_LAYERS = {
    "linear": (lambda: nn.Linear(4, 3), (2, 4)),
    "conv1d": (lambda: nn.Conv1d(4, 6, 3), (2, 4, 9)),
    "conv2d": (lambda: nn.Conv2d(4, 6, 3), (2, 4, 8, 7)),
    "conv_transpose2d": (lambda: nn.ConvTranspose2d(4, 6, 3), (2, 4, 8, 7)),
    "batch_norm": (lambda: nn.BatchNorm2d(4), (2, 4, 3, 3)),
    "batch_norm, eval": (lambda: nn.BatchNorm2d(4, affine=False).eval(), (2, 4, 3, 3)),
    "layer_norm": (lambda: nn.LayerNorm(4), (2, 4)),
    "group_norm": (lambda: nn.GroupNorm(2, 4), (2, 4)),
    "rms_norm": (lambda: nn.RMSNorm(4), (2, 4)),
}


@pytest.mark.parametrize("name", FLOAT_LAYERS)
def test_layers_refuse_the_other_float_type_and_whole_numbers(name):
    make, shape = FLOAT_LAYERS[name]
    with pytest.raises(TypeError, match=r"float32.*float64|float64.*float32"):
        make()(handmade.ones(shape, dtype=handmade.float64))
    with pytest.raises(TypeError, match=r"int64.*float"):
        make()(handmade.ones(shape, dtype=handmade.int64))


def test_a_numpy_array_instead_of_a_tensor_is_named():
    with pytest.raises(TypeError, match=r"linear: got a ndarray; expected a Tensor, for example handmade\.tensor\(x\)"):
        nn.functional.arguments.check_float("linear", np.ones(3))


IMPOSSIBLE = {
    "groups": (lambda: nn.Conv2d(3, 4, 3, groups=2), "Conv2d: 3 to 4 channels cannot be divided into 2 groups"),
    "outputs": (lambda: nn.Conv1d(4, 3, 3, groups=2), "Conv1d: 4 to 3 channels cannot be divided into 2 groups"),
    "kernel": (lambda: nn.Conv2d(3, 4, (3, 3, 3)), r"kernel_size is \(3, 3, 3\); expected one number or 2"),
    "stride": (lambda: nn.Conv1d(3, 4, 3, stride=(1, 2)), r"stride is \(1, 2\); expected one number or 1"),
    "group norm": (lambda: nn.GroupNorm(4, 6), "GroupNorm: 6 channels cannot be divided into 4 equal groups"),
}


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_layers_that_cannot_be_are_refused_when_they_are_made(name):
    make, message = IMPOSSIBLE[name]
    with pytest.raises(ValueError, match=message):
        make()


def test_padding_by_name_is_checked():
    x = handmade.ones(1, 3, 5, 6)
    with pytest.raises(ValueError, match=r"conv2d: padding is 'some'; expected numbers, 'same' or 'valid'"):
        nn.Conv2d(3, 4, 3, padding="some")(x)
    with pytest.raises(ValueError, match=r"conv2d: padding='same' keeps the size, which stride \(2, 2\) cannot"):
        nn.Conv2d(3, 4, 3, stride=2, padding="same")(x)
    with pytest.raises(ValueError, match=r"Conv2d: padding is 'some'"):
        nn.Conv2d(3, 4, 3, padding="some", padding_mode="reflect")(x)
    with pytest.raises(ValueError, match=r"Conv2d: padding='same' keeps the size"):
        nn.Conv2d(3, 4, 3, stride=2, padding="same", padding_mode="reflect")(x)


def test_convolutions_keep_their_weights_in_the_memory_order_of_the_kernels():
    layer = nn.Conv2d(3, 8, 5)
    layer(handmade.randn(2, 3, 9, 8)).sum().backward()
    for array in (layer.weight.array, layer.weight.grad.array, layer.double().weight.array):
        assert array.transpose(0, 2, 3, 1).flags.c_contiguous


def test_embeddings_options_are_pytorchs(rng):
    indices = np.array([[1, 2, 2], [0, 2, 4]])
    check_layer(lambda nn: nn.Embedding(5, 4, scale_grad_by_freq=True), indices)
    check_layer(lambda nn: nn.Embedding(5, 4, 2, max_norm=1.5, norm_type=1.0), indices)
    layer, reference = nn.Embedding(5, 4, max_norm=0.5), torch.nn.Embedding(5, 4, max_norm=0.5)
    reference.load_state_dict({"weight": torch.tensor(layer.weight.numpy().copy())})
    layer(tensor(indices))
    reference(torch.tensor(indices))
    np.testing.assert_allclose(layer.weight.numpy(), reference.weight.detach().numpy(), rtol=1e-6)
    assert repr(layer) == repr(reference)
    before = layer.weight.numpy().copy()
    with handmade.no_grad():
        layer.weight[-1] = 5.0
    with pytest.raises(IndexError, match="index -1 is outside the table"):
        layer(tensor([-1]))
    assert (layer.weight.numpy()[-1] == 5.0).all(), "changed before it was refused"
    assert (layer.weight.numpy()[:-1] == before[:-1]).all()
    endless = nn.functional.embedding(tensor([0]), tensor([[-np.inf, 1.0]]), scale_grad_by_freq=True)
    assert endless.tolist() == [[-np.inf, 1.0]]


def test_a_projected_lstm_reads_no_padding(rng):
    """`lengths` means what it means without a projection: padding has no effect, and others are refused."""
    layer = nn.LSTM(3, 4, num_layers=2, bidirectional=True, batch_first=True, proj_size=2).double()
    x = rng.normal(size=(2, 5, 3))
    outputs = []
    for filling in (0.0, np.nan):
        x[1, 3:] = filling
        layer.zero_grad()
        output, _ = layer(tensor(x), lengths=[5, 3])
        (output * tensor(np.arange(output.numel()).reshape(output.shape) / 7)).sum().backward()
        outputs.append([output.detach().numpy(), *(p.grad.numpy() for p in layer.parameters())])
    for plain, padded in zip(*outputs, strict=True):
        np.testing.assert_array_equal(plain, padded)
    np.testing.assert_allclose(layer(tensor(x[1:, :3]))[0].detach().numpy(), outputs[0][0][1:, :3], rtol=1e-12)
    with pytest.raises(ValueError, match="lengths must be between 1 and the 5 steps"):
        layer(tensor(x), lengths=[0, 9])


def test_a_dictionary_of_parameters_has_no_names_that_harm_it():
    values = nn.ParameterDict([("a", handmade.ones(2))])
    for name in ("keys", "training", "a.b"):
        with pytest.raises((KeyError, ValueError), match=name):
            values[name] = handmade.ones(1)
    values["a"] = handmade.zeros(2)
    del values["a"]
    assert len(values) == 0
    with pytest.raises(KeyError):
        del values["a"]


def test_a_buffer_in_place_of_another_says_whether_it_is_saved():
    layer = nn.Module()
    layer.mask = nn.Buffer(handmade.ones(2))
    assert list(layer.state_dict()) == ["mask"]
    layer.mask = nn.Buffer(handmade.zeros(2), persistent=False)
    assert list(layer.state_dict()) == []


def test_buffers_and_dictionaries_of_parameters_are_part_of_the_state():
    class Part(nn.Module):
        def __init__(self):
            super().__init__()
            self.mask = nn.Buffer(handmade.ones(2))
            self.spare = nn.Buffer(handmade.ones(2), persistent=False)
            self.weights = nn.ParameterDict({"a": handmade.ones(3)})

    part = Part()
    part.weights["b"] = nn.Parameter(handmade.ones(1))
    assert list(part.state_dict()) == ["mask", "weights.a", "weights.b"]
    assert [name for name, _ in part.named_buffers()] == ["mask", "spare"]
    part.double()
    assert part.mask.dtype == part.spare.dtype == handmade.float64
    assert dict(part.weights.items())["b"] is part.weights["b"]
    assert len(part.weights) == 2
    assert "a" in part.weights


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: nn.Conv2d(1, 1, 3, padding_mode="mirror"), "padding_mode is 'mirror'; expected 'zeros', 'reflect'"),
        (lambda: nn.ConvTranspose2d(1, 1, 3, padding_mode="reflect"), "expected 'zeros'"),
        (lambda: nn.InstanceNorm2d(3)(handmade.ones(2, 4, 3, 3)), "C = 3"),
        (lambda: nn.ZeroPad2d(1)(handmade.ones(3, 3)), "expected 3 or 4 axes"),
        (lambda: nn.LSTM(3, 4, proj_size=4), "proj_size is 4; expected 0 for none, or a number below hidden_size = 4"),
    ],
)
def test_wrong_options_are_refused_in_a_sentence(make, says):
    with pytest.raises(ValueError, match=says):
        make()
