"""What PyTorch has and handmade has not: what it does, and the nearest thing here."""

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
    "torch.nn.utils.rnn.pack_padded_sequence": "sequences without their padding; mask the padding instead",
    "torch.nn.utils.rnn.pad_packed_sequence": "the reverse of pack_padded_sequence; mask the padding instead",
    "torch.nn.Conv3d": "convolution with three axes; conv2d and conv1d are here",
    "torch.nn.LazyLinear": "a layer whose size is found later; Linear wants it now",
    "torch.nn.SyncBatchNorm": "batch norm over several devices; BatchNorm2d on one",
    "torch.nn.DataParallel": "several devices; tensors are on one CPU here",
    "torch.optim.LBFGS": "steps that need the loss several times; Adam and SGD are here",
    "torch.svd": "singular values; see numpy.linalg.svd",
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


def absent_name(name: str) -> str:
    """A sentence about a name of PyTorch that is not here."""
    parts = name.split(".")
    for end in range(len(parts), 1, -1):
        known = ABSENT.get(".".join(parts[:end]))
        if known:
            return f"{name} is not in handmade: {known}."
    return f"{name} is not in handmade."
