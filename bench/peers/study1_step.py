"""One training step of the study-1 U-Net in PyTorch, in one setting: memory layout, attention, eager or compiled."""

import contextlib
import itertools
import math
import sys
import time

import torch
from torch.nn import functional as F

from unet import HAS_SDPA, SIZE, TIMES, UNet


def layouts():
    return {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}


def eager_settings():
    return list(itertools.product(layouts(), ["plain", "sdpa"] if HAS_SDPA else ["plain"]))


def optimizer(model, kind="sgd", device="cpu"):
    parameters = [p for p in model.parameters() if p.requires_grad]
    if kind == "sgd":
        # Wider networks diverge within ten updates at the study's rate.
        rate = 0.01 if model.init_conv.out_channels <= 64 else 0.001
        build, options = torch.optim.SGD, {"lr": rate, "momentum": 0.95}
    else:
        build, options = torch.optim.Adam, {"lr": 1e-4}
        if device == "cuda":
            options["capturable"] = True  # its count of steps stays on the device
    try:
        return build(parameters, fused=True, **options)
    except (TypeError, RuntimeError):  # before 2.4
        return build(parameters, **options)


class Step:
    """One optimizer update in one setting; everything that it draws is drawn on the device."""

    def __init__(self, arguments, width, precision, layout, attention, compiled=None):
        """`compiled`: None for eager, else torch.compile's mode."""
        torch.manual_seed(1)
        self.batch = arguments.batch
        self.device = arguments.device
        self.layout = layouts()[layout]
        self.autocast = precision == "bf16"
        model = UNet(width, fused=attention == "sdpa")
        self.model = model.to(device=self.device, memory_format=self.layout).train()
        self.update = optimizer(self.model, arguments.optimizer, self.device)
        self.compiled = compiled
        self.network = torch.compile(self.model, mode=compiled, dynamic=False) if compiled else self.model
        self.images = torch.randint(0, 256, (512, 1, SIZE, SIZE), dtype=torch.uint8).to(self.device)
        beta = torch.linspace(1e-4, 2e-2, TIMES, dtype=torch.float64)
        alpha_bar = torch.cumprod(1 - beta, dim=0)
        self.signal = alpha_bar.sqrt().float()[:, None, None, None].to(self.device)
        self.noise = (1 - alpha_bar).sqrt().float()[:, None, None, None].to(self.device)

    def run(self):
        """The loss, still on the device: nothing here waits for it."""
        if self.compiled and self.device == "cuda":
            torch.compiler.cudagraph_mark_step_begin()
        self.update.zero_grad(set_to_none=True)
        chosen = torch.randint(0, len(self.images), (self.batch,), device=self.device)
        x0 = self.images[chosen].float() / 255 - 0.5
        t = torch.randint(1, TIMES, (self.batch,), device=self.device)
        eps = torch.randn(x0.shape, device=self.device)
        x = (self.signal[t] * x0 + self.noise[t] * eps).contiguous(memory_format=self.layout)
        with torch.autocast(self.device, dtype=torch.bfloat16) if self.autocast else contextlib.nullcontext():
            y = self.network(x, t)
        loss = F.mse_loss(y.float(), eps)
        loss.backward()
        self.update.step()
        return loss.detach()

    def times(self, seconds, least):
        """Milliseconds of single steps by the host's clock: at least `least`, more while `seconds` last, 100 at most."""
        times, losses = [], []
        begin = time.perf_counter()
        while len(times) < least or (len(times) < 100 and time.perf_counter() - begin < seconds):
            start = time.perf_counter()
            losses.append(self.run().item())
            times.append(1e3 * (time.perf_counter() - start))
        if not all(math.isfinite(loss) for loss in losses):
            sys.exit("study1_unet.py: a loss is not finite: %s" % losses)
        if len(set(losses)) == 1 and len(losses) > 1:
            sys.exit("study1_unet.py: the loss does not change: %s" % losses[0])
        return times
