"""The best library calls for each operation of the U-Net, as candidates to be timed by operations.py.

Shapes as in our lines: n images of h x w with c channels, k output channels; rows x c times c x k; n sequences of t
tokens with heads of size d. Every candidate does at most what ours does: the weights' gradient comes without the bias's,
the attention's backward pass leaves dq, dk and dv unpacked.
"""

import contextlib
import math
from collections import namedtuple

import torch
from torch.nn import functional as F

# context: a context manager around every call; prepare(draw): draws one set of inputs, returns the call on it.
Candidate = namedtuple("Candidate", "peer setting context prepare")
LAYOUTS = {"channels_last": torch.channels_last, "contiguous": torch.contiguous_format}
BACKENDS = {"flash": "FLASH_ATTENTION", "cuDNN": "CUDNN_ATTENTION", "efficient": "EFFICIENT_ATTENTION", "math": "MATH"}


class Draw:
    """Standard normal tensors, from a generator of its own: a failed graph capture cannot block it."""

    def __init__(self, device, dtype):
        self.device, self.dtype = device, dtype
        self.generator = torch.Generator(device).manual_seed(1)

    def __call__(self, *shape, layout="contiguous"):
        tensor = torch.randn(shape, generator=self.generator, device=self.device, dtype=self.dtype)
        return tensor.contiguous(memory_format=LAYOUTS[layout]) if len(shape) == 4 else tensor


def candidates(line, compile):
    """The candidates of a line; with `compile` only those that have to be compiled. None for an unknown benchmark."""
    make = MAKERS.get(line["benchmark"])
    return None if make is None else make(line, compile)


def values(line):
    """Values that one call reads and writes, parameters left out."""
    name = line["benchmark"]
    if name.startswith("conv2d"):
        height, width = output_size(line)
        return line["n"] * (line["h"] * line["w"] * line["c"] + height * width * line["k"])
    if name.startswith("linear"):
        return line["rows"] * (line["c"] + line["k"]) + line["c"] * line["k"]
    if name.startswith("group_norm"):
        return line["n"] * line["h"] * line["w"] * line["c"] * (3 if name.endswith("backward") else 2)
    return line["n"] * line["t"] * line["heads"] * line["d"] * (8 if name.endswith("backward") else 4)


def output_size(line):
    stride = line["stride"]
    return (line["h"] - 1) // stride + 1, (line["w"] - 1) // stride + 1


def conv2d(line, compile):
    if compile:
        return
    n, h, w, c, k, r, stride = (line[key] for key in ("n", "h", "w", "c", "k", "kernel", "stride"))
    step, padding = [stride, stride], [r // 2, r // 2]
    wanted = {"conv2d_backward_data": [True, False, False], "conv2d_backward_weight": [False, True, False]}
    mask = wanted.get(line["benchmark"])
    for layout in LAYOUTS:
        def prepare(draw, layout=layout):
            x, weight = draw(n, c, h, w, layout=layout), draw(k, c, r, r, layout=layout)
            if mask is None:
                bias = draw(k) if line["bias"] else None
                return lambda: F.conv2d(x, weight, bias, step, padding)
            dy = draw(n, k, *output_size(line), layout=layout)
            return lambda: torch.ops.aten.convolution_backward(
                dy, x, weight, None, step, padding, [1, 1], False, [0, 0], 1, mask)
        yield Candidate("cuDNN", layout, contextlib.nullcontext, prepare)
    if r == 1 and stride == 1:  # a matrix product of the pixels in channels_last
        as_linear = {"benchmark": line["benchmark"].replace("conv2d", "linear"), "rows": n * h * w, "c": c, "k": k,
                     "bias": line.get("bias")}
        yield from linear(as_linear, compile)


@contextlib.contextmanager
def blas(library):
    previous = torch.backends.cuda.preferred_blas_library()
    torch.backends.cuda.preferred_blas_library(library)
    try:
        yield
    finally:
        torch.backends.cuda.preferred_blas_library(previous)


def linear(line, compile):
    if compile:
        return
    rows, c, k, name = (line[key] for key in ("rows", "c", "k", "benchmark"))

    def prepare(draw):
        if name == "linear":
            x, weight, bias = draw(rows, c), draw(k, c), draw(k) if line["bias"] else None
            return lambda: F.linear(x, weight, bias)
        dy = draw(rows, k)
        if name == "linear_backward_data":
            weight = draw(k, c)
            return lambda: torch.mm(dy, weight)
        x = draw(rows, c)
        return lambda: torch.mm(dy.t(), x)

    for library in ("cublaslt", "cublas"):
        yield Candidate("cuBLAS", library, lambda library=library: blas(library), prepare)


def group_norm_silu(line, compile):
    n, h, w, c, groups = (line[key] for key in ("n", "h", "w", "c", "groups"))

    def normalise(x, gamma, beta):
        y = F.group_norm(x, groups, gamma, beta)
        return F.silu(y) if line["silu"] else y

    def prepare(draw, layout, function):
        x, gamma, beta = draw(n, c, h, w, layout=layout), draw(c), draw(c)
        if not line["benchmark"].endswith("backward"):
            return lambda: function(x, gamma, beta)
        inputs = [tensor.requires_grad_() for tensor in (x, gamma, beta)]
        y, dy = function(*inputs), draw(n, c, h, w, layout=layout)
        return lambda: torch.autograd.grad(y, inputs, dy, retain_graph=True)

    for layout in LAYOUTS:
        function = compiled(normalise) if compile else normalise
        yield Candidate("PyTorch", layout + (" compile" if compile else " eager"), contextlib.nullcontext,
                        lambda draw, layout=layout, function=function: prepare(draw, layout, function))


def compiled(function):
    """Afresh: dynamo keeps eight versions of a function, and backward passes are repeated with their saved tensors."""
    import torch._functorch.config
    torch._functorch.config.donated_buffer = False
    torch._dynamo.reset()
    return torch.compile(function, dynamic=False)


def attention(line, compile):
    if compile:
        return
    from torch.nn.attention import SDPBackend, sdpa_kernel
    n, t, heads, d = (line[key] for key in ("n", "t", "heads", "d"))

    def prepare(draw):
        q, k, v = draw(n, t, 3 * heads * d).view(n, t, 3, heads, d).permute(2, 0, 3, 1, 4)  # each [n,heads,t,d]
        if not line["benchmark"].endswith("backward"):
            return lambda: F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(n, t, heads * d)
        inputs = [tensor.detach().requires_grad_() for tensor in (q, k, v)]
        y, dy = F.scaled_dot_product_attention(*inputs), draw(n, t, heads, d).transpose(1, 2)
        return lambda: torch.autograd.grad(y, inputs, dy, retain_graph=True)

    for name, backend in BACKENDS.items():
        if hasattr(SDPBackend, backend):
            backend = getattr(SDPBackend, backend)
            yield Candidate("PyTorch", name, lambda backend=backend: sdpa_kernel(backend), prepare)


MAKERS = {
    "conv2d": conv2d,
    "conv2d_backward_data": conv2d,
    "conv2d_backward_weight": conv2d,
    "linear": linear,
    "linear_backward_data": linear,
    "linear_backward_weight": linear,
    "group_norm_silu": group_norm_silu,
    "group_norm_silu_backward": group_norm_silu,
    "attention": attention,
    "attention_backward": attention,
}


def input_sets(line, bytes_per_value):
    """So many sets of inputs that together they exceed the second-level cache, 60 MB, twice; 64 at most."""
    return max(1, min(64, math.ceil(128e6 / (values(line) * bytes_per_value))))
