"""The settings of study 1's training step on one GPU, timed by device events, each improvement printed at once."""

import gc
import json
import math
import sys

import torch

from study1_step import Step, eager_settings
from timing import capture, device_samples, elapsed, first_line, note, quantile, set_precision, summary

WARM_UP = 4  # cuDNN chooses its algorithms in the first step; torch.compile's graphs are captured in the first three
HOPELESS = 1.25  # times the fastest so far, in a short trial


def modes(arguments):
    """torch.compile's modes to try."""
    return (["default", "reduce-overhead"] if arguments.compile else []) + arguments.compile_mode


def measure(arguments):
    """Mode by mode what has to be compiled, then all eager settings. False if a case has no time."""
    torch.backends.cudnn.benchmark = True
    cases = [Case(arguments, width, precision) for width in arguments.width for precision in arguments.precision]
    with torch.cuda.stream(torch.cuda.Stream()):
        for mode in modes(arguments):
            for case in cases:
                case.compiled(mode)
        for case in cases:
            case.eager()
    late = sum(case.late for case in cases)
    if late:
        note("%d settings not tried, the limit of %g s was reached" % (late, arguments.limit))
    return all(case.times for case in cases)


def warm(arguments):
    """Two steps of every compiled setting, which fill inductor's cache."""
    remember_compiled_code()
    torch.backends.cudnn.benchmark = False  # the choice of algorithms is not cached, and takes long
    with torch.cuda.stream(torch.cuda.Stream()):
        for mode in modes(arguments):
            for width in arguments.width:
                for precision in arguments.precision:
                    if elapsed() < arguments.limit:
                        warm_one(arguments, width, precision, mode)


def warm_one(arguments, width, precision, mode):
    name = "W=%d %s %s" % (width, precision, mode)
    release()
    try:
        set_precision(precision)
        step = Step(arguments, width, precision, "channels_last", "sdpa", mode)
        step.run()
        step.run().item()
        note("%s compiled, %.0f s since the start" % (name, elapsed()))
    except Exception as failure:  # any: the next setting may still compile
        note("%s fails: %s" % (name, first_line(failure)))


def remember_compiled_code():
    """Turns on inductor's cache in the folder TORCHINDUCTOR_CACHE_DIR."""
    import torch._inductor.config as config
    if hasattr(config, "fx_graph_cache"):
        config.fx_graph_cache = True


def release():
    """Gives back the memory of the setting before, its compiled code included: dynamo keeps eight versions at most."""
    if "torch._dynamo" in sys.modules:
        torch._dynamo.reset()
    if "torch._inductor.cudagraph_trees" in sys.modules:
        sys.modules["torch._inductor.cudagraph_trees"].reset_cudagraph_trees()
    gc.collect()
    torch.cuda.empty_cache()


class Case:
    """A width in a precision: what was tried, and the fastest so far."""

    def __init__(self, arguments, width, precision):
        self.arguments, self.width, self.precision = arguments, width, precision
        self.tried = {}
        self.times = None  # of the fastest
        self.late = 0

    def eager(self):
        fastest, name = None, None
        for layout, attention in reversed(eager_settings()):  # the usual winner first: fewer are timed at length
            setting = "%s %s eager" % (layout, attention)
            step, improved = self.attempt(setting, layout, attention)
            if improved:
                fastest, name = step, setting
        if fastest is not None:
            self.attempt_graph(name, fastest)

    def compiled(self, mode):
        setting = "channels_last sdpa compile %s" % mode
        step, _ = self.attempt(setting, "channels_last", "sdpa", mode)
        if step is not None and mode == "default":  # the other modes make graphs themselves
            self.attempt_graph(setting, step)

    def attempt(self, setting, layout, attention, mode=None):
        """Times one setting. Its step, None if it failed, and whether it is the fastest so far."""
        if self.too_late():
            return None, False
        try:
            release()
            if mode:
                remember_compiled_code()
            set_precision(self.precision)
            step = Step(self.arguments, self.width, self.precision, layout, attention, mode)
            return step, self.time(setting, step.run)
        except Exception as failure:  # any: a setting that fails is left out, the others still count
            note("%s %s left out: %s" % (self.shape(), setting, first_line(failure)))
            return None, False

    def attempt_graph(self, setting, step):
        """Times replays of a CUDA graph of the whole step, draws and update included; `step` has run before."""
        if self.too_late():
            return
        try:
            step.update.zero_grad(set_to_none=True)  # the graph's gradients are made in its own memory
            graph, loss = capture(step.run)

            def replay():
                graph.replay()
                return loss

            self.time(setting + " graph", replay)
        except Exception as failure:  # as above
            note("%s %s graph left out: %s" % (self.shape(), setting, first_line(failure)))

    def too_late(self):
        late = elapsed() > self.arguments.limit
        self.late += late
        return late

    def time(self, setting, run):
        """Times run(), briefly if it is hopeless; prints the line if it is the fastest so far, and says whether it is."""
        for _ in range(WARM_UP):
            run()
        trial = quantile(device_samples(run, 1, 2, 2, 0), 0.5)
        self.tried[setting] = round(trial, 3)
        if self.times and trial > HOPELESS * quantile(self.times, 0.5):
            return False
        seconds = self.arguments.seconds
        group = max(1, min(5, int(1e3 * seconds / (10 * trial))))  # ten samples fit
        first = run().item()
        times = device_samples(run, group, 3, 30, seconds)
        last = run().item()
        if not (math.isfinite(first) and math.isfinite(last)) or first == last:
            raise ValueError("expected a finite loss that changes, found %g, then %g" % (first, last))
        median = quantile(times, 0.5)
        self.tried[setting] = round(median, 3)
        if self.times and median >= quantile(self.times, 0.5):
            return False
        self.times = times
        self.print_line(setting, group)
        return True

    def shape(self):
        suffix = "" if self.arguments.optimizer == "sgd" else " " + self.arguments.optimizer
        return "W=%d batch=%d 32x32x1%s" % (self.width, self.arguments.batch, suffix)

    def print_line(self, setting, group):
        print(json.dumps({
            "benchmark": "training_step",
            "peer": "pytorch",
            "version": torch.__version__,
            "shape": self.shape(),
            "type": self.precision,
            "threads": torch.get_num_threads(),
            "setting": setting,
            **summary(self.times),
            "tried_ms": self.tried,
            "device": torch.cuda.get_device_name(),
            "steps_per_sample": group,
        }), flush=True)
