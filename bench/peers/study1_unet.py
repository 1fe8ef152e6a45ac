"""The study-1 U-Net (Bonnaire et al. 2025, arXiv:2505.17638) in PyTorch, written from its description, as a peer.

    study1_unet.py check --golden DIR            compares with golden vectors: forward, loss, gradients, ten SGD steps
    study1_unet.py time --width 8 --precision f32 [--batch 64 --threads 2 --seconds 8 --compile]
    study1_unet.py time --device cuda --width 32,64,128 --precision f32,tf32,bf16 --batch 512 [--compile --limit 120]
    study1_unet.py warm --device cuda ...        fills inductor's cache with what `time` will compile

`time` runs every setting (memory layout, attention, with --compile also torch.compile) briefly, then the fastest at
length, and prints one JSON line. A step is what ours is: draw images, times and noise, forward, mean squared error,
backward, SGD with momentum. Runs on PyTorch 1.13 and later. On a GPU (PyTorch 2.4 and later) it also tries CUDA graphs,
and prints a line at every improvement: of the lines of a case the smallest median counts.
"""

import argparse
import json
import os
import struct
import sys

import timing
import torch
from torch.nn import functional as F

from study1_step import Step, eager_settings, layouts, optimizer
from timing import quantile
from unet import UNet


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


def require(value, limit, what):
    print("%-44s %.3g (limit %.3g)" % (what, value, limit))
    if not value <= limit:
        sys.exit("study1_unet.py: %s: expected at most %g, found %g" % (what, limit, value))


def check(golden, device):
    """Compares every layout and attention with the golden vectors of W = 8."""
    timing.set_precision("f32")
    weights = safetensors(os.path.join(golden, "study1_unet_w8_weights.safetensors"))
    io = safetensors(os.path.join(golden, "study1_unet_w8_io.safetensors"))
    io = {name: tensor.to(device) for name, tensor in io.items()}
    with open(os.path.join(golden, "study1_unet_w8_sgd_losses.txt")) as file:
        losses = [float(line) for line in file if line.strip()]
    for layout, attention in eager_settings():
        model = UNet(8, fused=attention == "sdpa", dropout=0)
        table = model.time_embeddings.time_mlp[0].weight
        require((table - weights["time_embeddings.time_mlp.0.weight"]).abs().max().item(), 1e-4, "sinusoids")
        model.load_state_dict(weights)
        model = model.to(device=device, memory_format=layouts()[layout])
        update = optimizer(model, device=device)
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


def measure(arguments, width, precision):
    """On the CPU: one line, of the fastest setting."""
    settings = [(layout, attention, None) for layout, attention in eager_settings()]
    if arguments.compile:
        settings.append(("channels_last", "sdpa", "default"))
    tried = {}
    best = None
    for layout, attention, compiled in settings:
        step = Step(arguments, width, precision, layout, attention, compiled)
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
        "shape": "W=%d batch=%d 32x32x1" % (width, arguments.batch),
        "type": precision,
        "threads": torch.get_num_threads(),
        "setting": best[1],
        "samples": len(times),
        "median_ms": round(quantile(times, 0.5), 3),
        "p10_ms": round(quantile(times, 0.1), 3),
        "p90_ms": round(quantile(times, 0.9), 3),
        "tried_ms": tried,
    }), flush=True)


def widths(text):
    return [int(width) for width in text.split(",")]


def precisions(text):
    names = text.split(",")
    unknown = set(names) - {"f32", "tf32", "bf16"}
    if unknown:
        raise argparse.ArgumentTypeError("expected f32, tf32 or bf16, found %s" % ", ".join(unknown))
    return names


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["check", "time", "warm"])
    parser.add_argument("--golden", help="folder of the golden vectors")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--width", type=widths, default=[8], help="one or more, with commas")
    parser.add_argument("--precision", type=precisions, default=["f32"], help="f32, bf16, on a GPU tf32; with commas")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--optimizer", choices=["sgd", "adam"], default="sgd")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--seconds", type=float, default=8, help="about how long the fastest setting is timed")
    parser.add_argument("--compile", action="store_true", help="try torch.compile too (PyTorch 2)")
    parser.add_argument("--compile-mode", action="append", default=[],
                        choices=["default", "reduce-overhead", "max-autotune"],
                        help="on a GPU: a mode of torch.compile to try, after those of --compile")
    parser.add_argument("--limit", type=float, default=float("inf"),
                        help="on a GPU: no setting is started when the program has run for so many seconds")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    if arguments.command == "check":
        check(arguments.golden, arguments.device)
    elif arguments.device == "cuda":
        import study1_cuda  # needs PyTorch 2.4, the CPU's part does not
        if arguments.command == "warm":
            study1_cuda.warm(arguments)
        elif not study1_cuda.measure(arguments):
            sys.exit("study1_unet.py: a case has no time")
    elif arguments.command == "warm" or "tf32" in arguments.precision:
        parser.error("warm and tf32 need --device cuda")
    else:
        for width in arguments.width:
            for precision in arguments.precision:
                measure(arguments, width, precision)


if __name__ == "__main__":
    main()
