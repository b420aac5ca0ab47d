"""The light graphs of the onnx package: architectures of published networks whose weights are left out."""

from pathlib import Path

import numpy as np
import onnx
import onnx.backend.test
import onnxruntime
from onnx import numpy_helper

from handmade import nn

FOLDER = Path(onnx.backend.test.__file__).parent / "data" / "light"


def run(name: str, model: nn.Module, image: np.ndarray, **settings: dict) -> np.ndarray:
    """What the graph `name` gives for `image` (1, 3, H, W) before its softmax, with the weights of `model`.

    The graph's layers get the model's weights in their order. settings: attributes to set by kind of node, as
    LRN={"bias": 2.0}; of a pool "pads", only where its stride is 2 or its kernel 7.
    """
    proto = onnx.load(FOLDER / f"light_{name}.onnx")
    graph = proto.graph
    layers = [node for node in graph.node if node.op_type in ("Conv", "Gemm")]
    arrays = [array.numpy().astype(np.float32) for array in model.state_dict().values()]
    names = [given for node in layers for given in node.input[1:]]
    assert len(names) == len(arrays)
    weights = dict(zip(names, arrays, strict=True))

    constants = [tensor for tensor in graph.initializer if tensor.name == "OC2_DUMMY_1"]  # a shape: (1, features)
    softmax = graph.node[-1]
    assert softmax.op_type == "Softmax"
    nodes = [
        n for n in graph.node if n is not softmax and n.op_type != "ConstantOfShape" and n.output[0] not in weights
    ]
    for node in nodes:
        for attribute in node.attribute:
            value = settings.get(node.op_type, {}).get(attribute.name)
            if value is not None and not (node.op_type == "MaxPool" and _stride(node) == 1):
                attribute.CopyFrom(onnx.helper.make_attribute(attribute.name, value))
    initializers = [*constants, *(numpy_helper.from_array(array, name) for name, array in weights.items())]
    made = onnx.helper.make_graph(
        nodes,
        name,
        [onnx.helper.make_tensor_value_info("data_0", onnx.TensorProto.FLOAT, image.shape)],
        [onnx.helper.make_tensor_value_info(softmax.input[0], onnx.TensorProto.FLOAT, None)],
        initializers,
    )
    changed = onnx.helper.make_model(made, opset_imports=proto.opset_import, ir_version=8)
    session = onnxruntime.InferenceSession(changed.SerializeToString())
    (output,) = session.run(None, {"data_0": image.astype(np.float32)})
    return np.asarray(output)


def _stride(node: onnx.NodeProto) -> int:
    return next(attribute.ints[0] for attribute in node.attribute if attribute.name == "strides")
