"""What PyTorch has and handmade has not: what it does, and the nearest thing here."""

from collections.abc import Callable

ABSENT = {
    "torch.compile": "compiles a model; here the heavy loops are compiled already",
    "torch.jit": "compiles and stores programs; save model.state_dict() instead",
    "torch.fft": "Fourier transforms; see numpy.fft",
    "torch.linalg": "matrix decompositions; see numpy.linalg, and handmade.norm",
    "torch.special": "special functions; erf, log1p, expm1 and logsumexp are here",
    "torch.distributed": "training on several machines; see handmade train NAME --engine torch",
    "torch.multiprocessing": "processes that share tensors; see Python's multiprocessing",
    "torch.sparse": "sparse tensors; a mask or an embedding does what they are used for most",
    "torch.quantization": "small integers as weights; not here",
    "torch.onnx": "files for other programs to run; save weights as safetensors with handmade.weights.save",
    "torch.hub": "models from the internet; see handmade models",
    "torch.distributions": "random variables; see randn, rand, bernoulli, multinomial and numpy.random",
    "torch.autograd.functional": "Jacobians and Hessians; see autograd.grad for one gradient",
    "torch.func": "functions of functions: gradients as functions, vmap; see autograd.grad",
    "torch.vmap": "a function for every row; write it with broadcasting",
    "torch.profiler": "where the time goes; see handmade.lens for costs",
    "torch.utils.tensorboard": "curves in a browser; runs of handmade train are drawn by the lens",
    "torch.utils.checkpoint": "less memory for more time; make the batch smaller",
    "torch.nn.parallel": "several devices; tensors are on one CPU here",
    "torch.nn.utils.parametrize": "parameters computed from others; compute them in forward",
    "torch.nn.utils.parametrizations": "parameters computed from others; compute them in forward",
    "torch.nn.utils.weight_norm": "a weight as length times direction; compute it in forward, g * v / v.norm()",
    "torch.nn.utils.remove_weight_norm": "the reverse of weight_norm, which is not here",
    "torch.nn.utils.spectral_norm": "a weight divided by its largest singular value; see numpy.linalg.norm(w, 2)",
    "torch.nn.SyncBatchNorm": "batch norm over several devices; BatchNorm2d on one",
    "torch.nn.DataParallel": "several devices; tensors are on one CPU here",
    "torch.optim.LBFGS": "steps that need the loss several times; Adam and SGD are here",
    "torch.optim.lr_scheduler.CyclicLR": "a rate that goes up and down; OneCycleLR and LambdaLR are here",
    "torch.get_rng_state": "the state of the generator; seed it anew: manual_seed, or Generator().manual_seed",
    "torch.set_rng_state": "the state of the generator; seed it anew: manual_seed, or Generator().manual_seed",
    "torch.quantile": "quantiles; see numpy.quantile, and median",
    "torch.histc": "counts in bins; see numpy.histogram",
    "torch.bincount": "counts of integers; see numpy.bincount, or one_hot(x).sum(0)",
    "torch.cdist": "distances of all pairs; (a[:, None] - b).norm(dim=-1)",
    "torch.complex": "complex numbers; tensors are real here",
    "torch.float16": "half precision; use float32, which a CPU computes faster",
    "torch.bfloat16": "half precision; use float32, which a CPU computes faster",
    "torch.uint8": "bytes; use int64, or bool for masks",
}
"""The name of a module stands for everything in it."""

TENSORS = {
    "the inverse of a function that is here; write it with log and sqrt": "acosh asinh atanh",
    "the angle of a point; atan(y / x) in the right half plane": "atan2 arctan2 angle",
    "another name; asin, acos and atan are here": "arcsin arccos arctan arcsinh arccosh arctanh",
    "another name; abs, neg, x and trunc are here": "absolute negative positive fix",
    "degrees and radians; multiply by math.pi / 180": "deg2rad rad2deg",
    "|x| with another sign; x.abs() * other.sign()": "copysign",
    "sin(pi x) / (pi x); write it out": "sinc",
    "the sign of a number; see sign, and x < 0": "sgn signbit heaviside isneginf isposinf",
    "1 - erf, and the inverse of erf; erf is here": "erfc erfinv",
    "the gamma function and its relatives; see scipy.special": "lgamma digamma polygamma mvlgamma igamma igammac i0",
    "log(e^x + e^y); stack the two, then logsumexp": "logaddexp logaddexp2 logcumsumexp",
    "x log y; x * y.log()": "xlogy",
    "numbers taken apart into fraction and exponent; see numpy.frexp": "frexp ldexp nextafter",
    "the root of x^2 + y^2; (x * x + y * y).sqrt()": "hypot",
    "maximum and minimum that pass over NaN; see where and isnan": "fmax fmin",
    "sums that pass over NaN; see nan_to_num and where": "nansum nanmean nanmedian nanquantile",
    "whole numbers: divisors and shifts; see numpy.gcd, numpy.lcm, and * 2**n": (
        "gcd lcm bitwise_left_shift bitwise_right_shift"
    ),
    "pow in float64; x.double() ** y": "float_power",
    "mean and spread together; x.mean(...) and x.std(...)": "std_mean var_mean",
    "running extremes; see numpy.maximum.accumulate": "cummax cummin",
    "the k-th smallest, the most frequent, a sort of rows; see topk, sort and unique": "kthvalue mode msort",
    "differences of neighbours; x[1:] - x[:-1]": "diff gradient",
    "areas under a curve; ((y[1:] + y[:-1]) / 2 * dx).sum()": "trapezoid trapz cumulative_trapezoid",
    "runs of equal elements; x[1:] != x[:-1], and unique": "unique_consecutive",
    "whether elements are in a list; (x[..., None] == values).any(-1)": "isin",
    "places in a sorted list; see numpy.searchsorted": "searchsorted bucketize",
    "counts in bins; see numpy.histogram": "histogram histogramdd",
    "places of what is not 0; see nonzero": "argwhere nonzero_static",
    "writes by index; x[index] = value, index_add and scatter are here": (
        "index_fill index_put index_copy index_reduce put select_scatter slice_scatter diagonal_scatter "
        "as_strided_scatter"
    ),
    "scatter with a reduction; scatter and scatter_add are here": "scatter_reduce segment_reduce",
    "cuts along an axis; see split, chunk and x[a:b]": "tensor_split hsplit vsplit dsplit split_with_sizes",
    "joins tensors; see cat, stack, hstack and vstack": "dstack column_stack row_stack block_diag",
    "at least so many axes; see reshape and unsqueeze": "atleast_1d atleast_2d",
    "swaps or moves axes; transpose, swapaxes, movedim and mT are here": "swapdims moveaxis adjoint mH H",
    "a view with strides of one's own; see unfold and numpy.lib.stride_tricks": "as_strided",
    "a turn by 90 degrees; x.transpose(0, 1).flip(0)": "rot90",
    "sums of products; see einsum, outer, dot, @ and *": (
        "inner tensordot kron vdot ger addr addbmm chain_matmul cross"
    ),
    "all pairs or combinations; see meshgrid and itertools": "cartesian_prod combinations vander diagflat",
    "distances; (a - b).norm(), and (a[:, None] - b).norm(dim=-1)": "dist pdist",
    "rows made no longer than a limit; see nn.functional.normalize": "renorm",
    "statistics of pairs; (x - x.mean(0)).T @ (x - x.mean(0)) / (n - 1)": "cov corrcoef",
    "matrix decompositions and inverses; see numpy.linalg": (
        "cholesky cholesky_inverse cholesky_solve det logdet slogdet inverse pinverse qr geqrf orgqr ormqr "
        "lu_solve lu_unpack lu triangular_solve matrix_exp matrix_power lobpcg svd nuclear_norm frobenius_norm "
        "eig symeig lstsq solve"
    ),
    "complex numbers; tensors are real here": (
        "real imag conj conj_physical resolve_conj resolve_neg polar view_as_complex view_as_real is_complex "
        "is_conj is_neg isreal"
    ),
    "spectra of sounds and their windows; see numpy.fft and handmade.data.speech": (
        "stft istft hann_window hamming_window bartlett_window blackman_window kaiser_window"
    ),
    "random numbers of another kind; see randn, rand, randint, bernoulli and numpy.random": (
        "poisson binomial randint_like exponential_ geometric_ cauchy_ log_normal_"
    ),
    "numbers with equal ratios, and a range with its end; see linspace, arange": "logspace range",
    "makes a tensor; see tensor, as_tensor, from_numpy, full and empty": (
        "asarray scalar_tensor frombuffer from_file empty_strided empty_permuted fill"
    ),
    "questions about dtypes and memory; see x.dtype, x.shape, x.is_floating_point()": (
        "can_cast promote_types is_signed is_nonzero is_same_size is_storage is_inference typename storage "
        "data_ptr untyped_storage storage_offset nbytes itemsize layout memory_format qscheme get_device resize_ "
        "set_"
    ),
    "small integers as weights; not here": "dequantize int_repr hash_tensor",
    "a choice of functions in a compiled program; use Python's if": "cond fork wait",
    "settings of devices, precision and warnings; there is one of each here": (
        "get_default_device get_device_module set_default_tensor_type set_flush_denormal set_warn_always "
        "is_warn_always_enabled are_deterministic_algorithms_enabled "
        "is_deterministic_algorithms_warn_only_enabled get_deterministic_debug_mode set_deterministic_debug_mode "
        "get_float32_matmul_precision get_num_interop_threads init_num_threads clear_autocast_cache "
        "is_inference_mode_enabled thread_safe_generator"
    ),
    "seeds of the generator; see manual_seed": "seed initial_seed",
    "an index of the flattened tensor as one for each axis; see numpy.unravel_index": "unravel_index",
    "other - x; write it so": "rsub",
    "another dtype; float32, float64, int64 and bool are here": "half short byte char bfloat16 cfloat cdouble chalf",
    "gradients and versions of a tensor; see grad, requires_grad and register_hook": (
        "retains_grad register_post_accumulate_grad_hook output_nr"
    ),
    "expands or sums to a shape; see expand and sum": "sum_to_size resize resize_as resize_as_",
    "draws from this tensor; see handmade.bernoulli and handmade.multinomial": "bernoulli multinomial",
    "pages of memory for a GPU; there is none here": "pin_memory is_pinned record_stream",
}
"""Functions and methods of tensors: what they do and the nearest thing, and their names."""

LAYERS = {
    "the largest of each window, for an output of a given size; max_pool2d, or x.amax((-2, -1))": (
        "AdaptiveMaxPool1d AdaptiveMaxPool2d adaptive_max_pool1d adaptive_max_pool2d"
    ),
    "the reverse of max pooling; interpolate or a ConvTranspose2d": (
        "MaxUnpool1d MaxUnpool2d max_unpool1d max_unpool2d"
    ),
    "pooling by random or other windows; max_pool2d and avg_pool2d are here": (
        "FractionalMaxPool2d FractionalMaxPool3d fractional_max_pool2d LPPool1d LPPool2d LPPool3d lp_pool1d lp_pool2d"
    ),
    "dropout of another kind; Dropout and Dropout2d are here": (
        "AlphaDropout FeatureAlphaDropout Dropout1d alpha_dropout feature_alpha_dropout feature_dropout dropout1d"
    ),
    "x1 W x2 for each output; einsum('bi,oij,bj->bo', x1, W, x2)": "Bilinear bilinear",
    "a softmax over many classes in parts; CrossEntropyLoss": "AdaptiveLogSoftmaxWithLoss",
    "a linear layer and its loss in one; Linear, then CrossEntropyLoss": (
        "LinearCrossEntropyLoss LinearCrossEntropyOptions linear_cross_entropy"
    ),
    "channels in another order; reshape and transpose": "ChannelShuffle channel_shuffle",
    "embeddings summed for each bag; Embedding, then .sum(1) or .mean(1)": "EmbeddingBag embedding_bag",
    "a loss; CrossEntropyLoss, BCEWithLogitsLoss, MSELoss and margins are here": (
        "GaussianNLLLoss gaussian_nll_loss MultiMarginLoss multi_margin_loss MultiLabelMarginLoss "
        "multilabel_margin_loss MultiLabelSoftMarginLoss multilabel_soft_margin_loss "
        "TripletMarginWithDistanceLoss triplet_margin_with_distance_loss NLLLoss2d"
    ),
    "an activation; ReLU, LeakyReLU, Tanhshrink and others are here": (
        "Hardshrink Softshrink RReLU hardshrink softshrink rrelu"
    ),
    "another name; see LocalResponseNorm": "CrossMapLRN2d",
    "another name; see Upsample and interpolate": (
        "UpsamplingBilinear2d UpsamplingNearest2d upsample upsample_bilinear upsample_nearest"
    ),
    "images sampled at other places; interpolate resizes them": (
        "grid_sample affine_grid grid_sampler grid_sampler_2d affine_grid_generator"
    ),
    "attention with all weights as arguments; see MultiheadAttention": "multi_head_attention_forward",
    "a base class; see Module, RNN and RNNCell": "Container RNNBase RNNCellBase",
    "several products of matrices; see bmm and @": "grouped_mm",
    "a convolution by another name; see conv1d and conv2d": "convolution conv_tbc",
    "padding by another name; see nn.functional.pad": "constant_pad_nd",
}
"""Of nn and nn.functional."""

OPTIMIZERS = {
    "a variant of Adam; Adam and AdamW are here": "Adamax NAdam RAdam SparseAdam Adafactor Muon",
    "another optimizer; SGD, RMSprop, Adagrad and Adadelta are here": "ASGD Rprop",
}
"""Of optim."""

FUNCTIONAL = (
    "adaptive_avg_pool1d avg_pool1d batch_norm binary_cross_entropy_with_logits celu conv1d conv2d "
    "conv_transpose1d conv_transpose2d cosine_embedding_loss cosine_similarity ctc_loss dropout embedding "
    "group_norm hinge_embedding_loss instance_norm kl_div layer_norm margin_ranking_loss max_pool1d max_pool2d "
    "pairwise_distance pixel_shuffle pixel_unshuffle poisson_nll_loss prelu rms_norm selu threshold "
    "triplet_margin_loss"
)
"""What PyTorch also has at its top, and handmade in nn.functional."""


def explanation(name: str) -> str | None:
    """What a name of PyTorch does that is not here, and what is nearest; None for an unknown one."""
    parts = name.split(".")
    for end in range(len(parts), 1, -1):
        if known := ABSENT.get(".".join(parts[:end])):
            return known
    last = parts[-1]
    if parts[1:-1] == ["Tensor"] and f"torch.{last}" in ABSENT:
        return ABSENT[f"torch.{last}"]
    if "sparse" in name:
        return ABSENT["torch.sparse"]
    for groups in (LAYERS, OPTIMIZERS, TENSORS):
        for what, names in groups.items():
            if last in names.split():
                return what
    if last in FUNCTIONAL.split() and len(parts) == 2:
        return f"here it is nn.functional.{last}"
    if last in ("gru", "lstm"):
        return "a recurrent layer as a function; see nn.GRU and nn.LSTM"
    if last.lower().endswith("3d"):
        return f"for three axes of an image; here there are those for one and two, {last[:-2]}1d and {last[:-2]}2d"
    if last.startswith("Lazy"):
        return f"a layer whose size is found later; {last[4:]} wants it now"
    if last.endswith("_") and not last.startswith("_"):
        return f"{last[:-1]} in place; write x = x.{last[:-1]}(...)"
    return None


def absent_name(name: str) -> str:
    """A sentence about a name of PyTorch that is not here."""
    what = explanation(name)
    return f"{name} is not in handmade: {what}." if what else f"{name} is not in handmade."


def refusing(room: str) -> Callable[[str], None]:
    """A module's `__getattr__`, which says of a name that is missing what is nearest; room: PyTorch's module."""

    def refuse(name: str) -> None:
        raise AttributeError(absent_name(f"{room}.{name}"))

    return refuse
