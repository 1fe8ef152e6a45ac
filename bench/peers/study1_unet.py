"""The study-1 U-Net (Bonnaire et al. 2025, arXiv:2505.17638) in PyTorch, written from its description, as a peer.

    study1_unet.py check --golden DIR            compares with golden vectors: forward, loss, gradients, ten SGD steps
    study1_unet.py time --width 8 --precision f32 [--batch 64 --threads 2 --seconds 8 --compile]

`time` runs every setting (memory layout, attention, with --compile also torch.compile) briefly, then the fastest at
length, and prints one JSON line. A step is what ours is: draw images, times and noise, forward, mean squared error,
backward, SGD with momentum. Runs on PyTorch 1.13 and later.
"""

import argparse
import contextlib
import itertools
import json
import math
import os
import struct
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

GROUPS, HEADS, TIMES, SIZE = 8, 4, 1000, 32
HAS_SDPA = hasattr(F, "scaled_dot_product_attention")


class TimeEmbedding(nn.Module):
    """Frozen sinusoids of the time index, then two layers."""

    def __init__(self, width):
        super().__init__()
        half = width // 2
        rates = torch.exp(torch.arange(half) * (-math.log(10000.0) / (half - 1)))
        angles = torch.arange(TIMES)[:, None] * rates[None, :]
        table = torch.cat([angles.sin(), angles.cos()], dim=1)
        self.time_mlp = nn.Sequential(
            nn.Embedding.from_pretrained(table, freeze=True),
            nn.Linear(width, 4 * width),
            nn.GELU(),
            nn.Linear(4 * width, 4 * width),
        )

    def forward(self, t):
        return self.time_mlp(t)


def normalise(norm, x):
    if x.dtype == norm.weight.dtype or HAS_SDPA:
        return norm(x)
    # PyTorch 1 wants the parameters in the type of the images.
    return F.group_norm(x, norm.num_groups, norm.weight.to(x.dtype), norm.bias.to(x.dtype), norm.eps)


class NormConv(nn.Module):
    """GroupNorm, SiLU, perhaps channel-wise dropout, 3x3 convolution."""

    def __init__(self, inputs, outputs, dropout=0.0):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.norm = nn.GroupNorm(GROUPS, inputs)
        self.dropout = dropout

    def forward(self, x):
        h = F.silu(normalise(self.norm, x))
        if self.dropout:
            h = F.dropout2d(h, self.dropout, self.training)
        return self.conv(h)


class Mhsa(nn.Module):
    """Multi-head self-attention with a packed projection, as nn.MultiheadAttention names and initialises it."""

    def __init__(self, channels, fused):
        super().__init__()
        self.in_proj_weight = nn.Parameter(torch.empty(3 * channels, channels))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * channels))
        self.out_proj = nn.Linear(channels, channels)
        nn.init.xavier_uniform_(self.in_proj_weight)
        nn.init.zeros_(self.out_proj.bias)
        self.fused = fused

    def forward(self, x):  # [N,T,C]
        n, tokens, channels = x.shape
        qkv = F.linear(x, self.in_proj_weight, self.in_proj_bias)
        q, k, v = qkv.view(n, tokens, 3, HEADS, channels // HEADS).permute(2, 0, 3, 1, 4)  # each [N,heads,T,D]
        if self.fused:
            h = F.scaled_dot_product_attention(q, k, v)
        else:
            scores = torch.matmul(q * (channels // HEADS) ** -0.5, k.transpose(-2, -1))
            h = torch.matmul(torch.softmax(scores, dim=-1), v)
        return self.out_proj(h.transpose(1, 2).reshape(n, tokens, channels))


class Attention(nn.Module):
    def __init__(self, channels, fused):
        super().__init__()
        self.group_norm = nn.GroupNorm(GROUPS, channels)
        self.mhsa = Mhsa(channels, fused)

    def forward(self, x):
        n, channels, height, width = x.shape
        tokens = normalise(self.group_norm, x).permute(0, 2, 3, 1).reshape(n, height * width, channels)
        h = self.mhsa(tokens).reshape(n, height, width, channels)
        return x + h.permute(0, 3, 1, 2)


class Residual(nn.Module):
    def __init__(self, inputs, outputs, time_width, attention, fused, dropout):
        super().__init__()
        self.block1 = NormConv(inputs, outputs)
        self.block2 = NormConv(outputs, outputs, dropout)
        self.dense = nn.Linear(time_width, outputs)
        self.res_conv = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else nn.Identity()
        self.attention = Attention(outputs, fused) if attention else nn.Identity()

    def forward(self, x, embedding):
        h = self.block1(x) + self.dense(F.silu(embedding))[:, :, None, None]
        return self.attention(self.block2(h) + self.res_conv(x))


class Down(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.downsample = nn.Conv2d(channels, channels, 3, stride=2, padding=1)

    def forward(self, x, embedding):
        return self.downsample(x)


class Up(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.upsample = nn.Sequential(
            nn.Upsample(scale_factor=2, mode="nearest"), nn.Conv2d(channels, channels, 3, padding=1))

    def forward(self, x, embedding):
        return self.upsample(x)


class UNet(nn.Module):
    """Levels of width (1, 2, 4) * W at 32, 16 and 8 pixels; attention on the two coarser ones."""

    def __init__(self, width, fused=False, dropout=0.1):
        super().__init__()

        def residual(inputs, outputs, attention):
            return Residual(inputs, outputs, 4 * width, attention, fused, dropout)

        levels = [width, 2 * width, 4 * width]
        self.time_embeddings = TimeEmbedding(width)
        self.init_conv = nn.Conv2d(1, width, 3, padding=1)
        channels, skips, encoder = width, [width], []
        for level, out in enumerate(levels):
            for _ in range(2):
                encoder.append(residual(channels, out, level > 0))
                channels = out
                skips.append(channels)
            if level < 2:
                encoder.append(Down(channels))
                skips.append(channels)
        decoder = []
        bottom = channels
        for level, out in reversed(list(enumerate(levels))):
            for _ in range(3):
                decoder.append(residual(channels + skips.pop(), out, level > 0))
                channels = out
            if level > 0:
                decoder.append(Up(channels))
        self.encoder_blocks = nn.ModuleList(encoder)
        self.decoder_blocks = nn.ModuleList(decoder)
        self.bottleneck_blocks = nn.ModuleList([residual(bottom, bottom, True), residual(bottom, bottom, False)])
        self.final_block = NormConv(width, 1)

    def forward(self, x, t):
        embedding = self.time_embeddings(t)
        h = self.init_conv(x)
        skips = [h]
        for block in self.encoder_blocks:
            h = block(h, embedding)
            skips.append(h)
        for block in self.bottleneck_blocks:
            h = block(h, embedding)
        for block in self.decoder_blocks:
            if isinstance(block, Residual):
                h = torch.cat([h, skips.pop()], dim=1)
            h = block(h, embedding)
        return self.final_block(h)


def safetensors(path):
    """Name -> tensor. Format: u64 header length, JSON header, data; all little-endian."""
    with open(path, "rb") as file:
        content = file.read()
    start = 8 + struct.unpack("<Q", content[:8])[0]
    types = {"F32": torch.float32, "I64": torch.int64}
    tensors = {}
    for name, entry in json.loads(content[8:start]).items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            raw = bytearray(content[start + begin:start + end])
            tensors[name] = torch.frombuffer(raw, dtype=types[entry["dtype"]]).reshape(entry["shape"]).clone()
    return tensors


def optimizer(model):
    parameters = [p for p in model.parameters() if p.requires_grad]
    try:
        return torch.optim.SGD(parameters, lr=0.01, momentum=0.95, fused=True)
    except (TypeError, RuntimeError):  # before 2.4
        return torch.optim.SGD(parameters, lr=0.01, momentum=0.95)


def require(value, limit, what):
    print("%-44s %.3g (limit %.3g)" % (what, value, limit))
    if not value <= limit:
        sys.exit("study1_unet.py: %s: expected at most %g, found %g" % (what, limit, value))


def check(golden):
    """Compares every layout and attention with the golden vectors of W = 8."""
    weights = safetensors(os.path.join(golden, "study1_unet_w8_weights.safetensors"))
    io = safetensors(os.path.join(golden, "study1_unet_w8_io.safetensors"))
    with open(os.path.join(golden, "study1_unet_w8_sgd_losses.txt")) as file:
        losses = [float(line) for line in file if line.strip()]
    for layout, attention in eager_settings():
        model = UNet(8, fused=attention == "sdpa", dropout=0)
        table = model.time_embeddings.time_mlp[0].weight
        require((table - weights["time_embeddings.time_mlp.0.weight"]).abs().max().item(), 1e-4, "sinusoids")
        model.load_state_dict(weights)
        model = model.to(memory_format=layouts()[layout])
        update = optimizer(model)
        name = "%s %s: " % (layout, attention)
        for step, reference in enumerate(losses):
            y = model(io["x"].contiguous(memory_format=layouts()[layout]), io["t"])
            loss = F.mse_loss(y, io["eps"])
            update.zero_grad()
            loss.backward()
            if step == 0:
                require((y - io["y"]).abs().max().item(), 1e-5, name + "forward, largest error")
                gradients = {k: p.grad for k, p in model.named_parameters() if p.requires_grad}
                if {"grad." + k for k in gradients} != {k for k in io if k.startswith("grad.")}:
                    sys.exit("study1_unet.py: the names of the parameters differ from the golden ones")
                error = max(
                    (g - io["grad." + k]).norm() / (io["grad." + k].norm() + 5e-3 * io["gradnorm"])
                    for k, g in gradients.items())
                require(error.item(), 2e-4, name + "gradients, largest relative error")
            require(abs(loss.item() / reference - 1), 1e-4, name + "loss of step %d" % step)
            update.step()


def layouts():
    return {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}


def eager_settings():
    return list(itertools.product(layouts(), ["plain", "sdpa"] if HAS_SDPA else ["plain"]))


class Step:
    """One optimizer update in one setting."""

    def __init__(self, arguments, layout, attention, compiled):
        torch.manual_seed(1)
        self.batch = arguments.batch
        self.layout = layouts()[layout]
        self.autocast = arguments.precision == "bf16"
        self.model = UNet(arguments.width, fused=attention == "sdpa").to(memory_format=self.layout).train()
        self.update = optimizer(self.model)
        self.network = torch.compile(self.model) if compiled else self.model
        self.images = torch.randint(0, 256, (512, 1, SIZE, SIZE), dtype=torch.uint8)
        beta = torch.linspace(1e-4, 2e-2, TIMES, dtype=torch.float64)
        alpha_bar = torch.cumprod(1 - beta, dim=0)
        self.signal = alpha_bar.sqrt().float()[:, None, None, None]
        self.noise = (1 - alpha_bar).sqrt().float()[:, None, None, None]

    def run(self):
        chosen = torch.randint(0, len(self.images), (self.batch,))
        x0 = self.images[chosen].float() / 255 - 0.5
        t = torch.randint(1, TIMES, (self.batch,))
        eps = torch.randn(x0.shape)
        x = (self.signal[t] * x0 + self.noise[t] * eps).contiguous(memory_format=self.layout)
        with torch.autocast("cpu", dtype=torch.bfloat16) if self.autocast else contextlib.nullcontext():
            y = self.network(x, t)
        loss = F.mse_loss(y.float(), eps)
        self.update.zero_grad(set_to_none=True)
        loss.backward()
        self.update.step()
        return loss.item()

    def times(self, seconds, least):
        """Milliseconds of single steps: at least `least`, more while `seconds` last, 100 at most."""
        times, losses = [], []
        begin = time.perf_counter()
        while len(times) < least or (len(times) < 100 and time.perf_counter() - begin < seconds):
            start = time.perf_counter()
            losses.append(self.run())
            times.append(1e3 * (time.perf_counter() - start))
        if not all(math.isfinite(loss) for loss in losses):
            sys.exit("study1_unet.py: a loss is not finite: %s" % losses)
        if len(set(losses)) == 1 and len(losses) > 1:
            sys.exit("study1_unet.py: the loss does not change: %s" % losses[0])
        return times


def quantile(values, q):
    """Linear between the nearest ranks."""
    values = sorted(values)
    position = q * (len(values) - 1)
    low = int(position)
    return values[low] + (position - low) * (values[min(low + 1, len(values) - 1)] - values[low])


def measure(arguments):
    settings = [(layout, attention, False) for layout, attention in eager_settings()]
    if arguments.compile:
        settings.append(("channels_last", "sdpa", True))
    tried = {}
    best = None
    for layout, attention, compiled in settings:
        step = Step(arguments, layout, attention, compiled)
        name = " ".join([layout, attention, "compile" if compiled else "eager"])
        step.times(0, 1)
        second = step.times(0, 1)[0]
        if best is not None and second > 2 * best[0]:
            tried[name] = round(second, 3)
            continue
        median = quantile(step.times(arguments.seconds / 8, 1), 0.5)
        tried[name] = round(median, 3)
        if best is None or median < best[0]:
            best = (median, name, step)
    times = best[2].times(arguments.seconds, 3)
    print(json.dumps({
        "benchmark": "training_step",
        "peer": "pytorch",
        "version": torch.__version__,
        "shape": "W=%d batch=%d 32x32x1" % (arguments.width, arguments.batch),
        "type": arguments.precision,
        "threads": torch.get_num_threads(),
        "setting": best[1],
        "samples": len(times),
        "median_ms": round(quantile(times, 0.5), 3),
        "p10_ms": round(quantile(times, 0.1), 3),
        "p90_ms": round(quantile(times, 0.9), 3),
        "tried_ms": tried,
    }), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["check", "time"])
    parser.add_argument("--golden", help="folder of the golden vectors")
    parser.add_argument("--width", type=int, default=8)
    parser.add_argument("--precision", choices=["f32", "bf16"], default="f32")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--seconds", type=float, default=8, help="about how long the fastest setting is timed")
    parser.add_argument("--compile", action="store_true", help="try torch.compile too (PyTorch 2)")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    if arguments.command == "check":
        check(arguments.golden)
    else:
        measure(arguments)


if __name__ == "__main__":
    main()
