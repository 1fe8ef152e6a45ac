"""Single operations of the U-Net's training step by the best library call there is; and the GPU's ceilings.

    operations.py time --shapes FILE [--device cuda --seconds 0.06 --limit 60 --compile]
    operations.py ceilings               copy bandwidth (read and written bytes) and matrix products, as JSON lines

FILE has one JSON object a line, as our benchmark writes them: benchmark, shape, type (f32, tf32 or bf16) and sizes.
Every operation is tried in all its settings and prints one line, of the fastest; with --compile group normalisation is
then tried compiled and prints another line if that is faster. Times are of launches in a CUDA graph, without gaps.
--device cpu rehearses: the host's clock, no graphs.
"""

import argparse
import collections
import json
import sys
import time
import warnings

import timing
import torch

import operation_peers
from timing import capture, device_samples, elapsed, first_line, note, quantile, set_precision, significant, summary

GRAPH_MS = 2  # launches in a graph take about so long together
HOPELESS = 2  # times the fastest so far, in a first pass


class Timer:
    """Times one candidate on one device."""

    def __init__(self, device, seconds):
        self.device, self.seconds = device, seconds

    def times(self, candidate, draw, sets, fastest):
        """Milliseconds of one call, in samples; only one sample if that already is hopeless beside `fastest`."""
        with candidate.context():
            calls = [candidate.prepare(draw) for _ in range(sets)]
            outputs = collections.deque(maxlen=sets)  # kept for a round, so that results rotate like inputs

            def launch(count):
                for i in range(count):
                    outputs.append(calls[i % sets]())

            launch(sets)
            require_finite(outputs[0])
            launch(sets)
            first = self.pass_ms(lambda: launch(sets)) / sets
            if fastest is not None and first > max(0.1, HOPELESS * fastest):  # below 0.1 ms the host may be what lasts
                return [first]
            if self.device == "cpu":
                return [first] + [self.pass_ms(lambda: launch(sets)) / sets for _ in range(2)]
            outputs.clear()
            rounds = max(1, min(round(GRAPH_MS / (first * sets)), 256 // sets))
            return self.graph_times(lambda: launch(rounds * sets), rounds * sets)

    def graph_times(self, launches, count):
        """Of a graph of the launches; of the launches themselves if they cannot be captured."""
        try:
            graph, _ = capture(launches)
            run = graph.replay
            run()
        except Exception as failure:  # any: the launches still work without
            note("no graph: %s" % first_line(failure))
            run = launches
        return [sample / count for sample in device_samples(run, 1, 5, 50, self.seconds)]

    def pass_ms(self, run):
        if self.device == "cuda":
            start = timing.mark()
            run()
            end = timing.mark()
            end.synchronize()
            return start.elapsed_time(end)
        start = time.perf_counter()
        run()
        return 1e3 * (time.perf_counter() - start)


def require_finite(output):
    tensors = output if isinstance(output, (tuple, list)) else [output]
    if not all(torch.isfinite(tensor).all().item() for tensor in tensors if tensor is not None):
        raise ValueError("expected finite values")


class Operation:
    """A line of the shapes: what was tried, and the fastest so far."""

    def __init__(self, line):
        self.line = line
        self.tried = {}
        self.best = None  # (milliseconds, times, candidate)

    def measure(self, timer, compile):
        """Tries the candidates; prints a line if there is a new fastest."""
        dtype = torch.bfloat16 if self.line["type"] == "bf16" else torch.float32
        if timer.device == "cuda":
            set_precision(self.line["type"])
        before = self.best
        for candidate in operation_peers.candidates(self.line, compile):
            try:
                self.attempt(timer, candidate, operation_peers.Draw(timer.device, dtype))
            except Exception as failure:  # any: a setting that this library or GPU lacks is left out
                note("%s %s %s left out: %s" % (self.name(), candidate.peer, candidate.setting, first_line(failure)))
        if self.best is not before:
            self.print_line(timer)

    def attempt(self, timer, candidate, draw):
        sets = operation_peers.input_sets(self.line, torch.finfo(draw.dtype).bits // 8)
        if timer.device == "cpu":
            sets = min(sets, 2)
        times = timer.times(candidate, draw, sets, self.best and self.best[0])
        median = quantile(times, 0.5)
        self.tried[candidate.peer + " " + candidate.setting] = significant(median)
        if self.best is None or median < self.best[0]:
            self.best = (median, times, candidate)

    def name(self):
        return "%s %s %s" % (self.line["benchmark"], self.line["shape"], self.line["type"])

    def print_line(self, timer):
        _, times, candidate = self.best
        print(json.dumps({
            "benchmark": self.line["benchmark"],
            "peer": candidate.peer,
            "version": "%s cuDNN %s" % (torch.__version__, torch.backends.cudnn.version()),
            "shape": self.line["shape"],
            "type": self.line["type"],
            "setting": candidate.setting,
            **summary(times),
            "device": device_name(timer.device),
            "tried_ms": self.tried,
        }), flush=True)


def device_name(device):
    return torch.cuda.get_device_name() if device == "cuda" else device


def read(path):
    """The operations of a file, each once; unknown ones are named and skipped."""
    operations = {}
    with open(path) as file:
        for text in filter(str.strip, file):
            try:
                operation = Operation(json.loads(text))
                name = operation.name()
            except (ValueError, KeyError):  # the last line of a writer that was stopped
                note("expected an operation, skipped: %s" % text.strip())
                continue
            if operation.line["benchmark"] in operation_peers.MAKERS:
                operations.setdefault(name, operation)
            else:
                note("unknown benchmark, skipped: %s" % name)
    return list(operations.values())


def measure(arguments):
    torch.backends.cudnn.benchmark = True
    operations = read(arguments.shapes)
    timer = Timer(arguments.device, arguments.seconds)
    for compile in [False, True] if arguments.compile else [False]:
        for i, operation in enumerate(operations):
            if elapsed() > arguments.limit:
                note("%d of %d operations left out%s, the limit of %g s was reached" % (
                    len(operations) - i, len(operations), " compiled" if compile else "", arguments.limit))
                return
            try:
                operation.measure(timer, compile)
            except KeyError as failure:
                note("%s left out: expected the key %s" % (operation.name(), failure))


def ceilings(arguments):
    """Medians of the largest copy and the largest products that a kernel could be held against."""
    cuda = arguments.device == "cuda"
    size, elements = (8192, 1 << 29) if cuda else (256, 1 << 20)
    timer = Timer(arguments.device, arguments.seconds)

    def milliseconds(run):
        run()
        return quantile(device_samples(run, 1, 5, 30, 0.5) if cuda else [timer.pass_ms(run) for _ in range(3)], 0.5)

    def print_ceiling(name, value):
        print(json.dumps({"ceiling": name, "value": significant(value), "device": device_name(arguments.device)}),
              flush=True)

    draw = operation_peers.Draw(arguments.device, torch.float32)
    source = draw(elements)
    target = torch.empty_like(source)
    print_ceiling("copy_gbps", 2 * 4 * elements / milliseconds(lambda: target.copy_(source)) / 1e6)
    del source, target
    for precision in ("bf16", "tf32", "f32"):
        if cuda:
            set_precision(precision)
        draw.dtype = torch.bfloat16 if precision == "bf16" else torch.float32
        a, b = draw(size, size), draw(size, size)
        product = torch.empty_like(a)
        multiply_ms = milliseconds(lambda: torch.mm(a, b, out=product))
        print_ceiling("matmul_%s_tflops" % precision, 2 * size**3 / multiply_ms / 1e9)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["time", "ceilings"])
    parser.add_argument("--shapes", help="file of JSON lines")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cuda")
    parser.add_argument("--seconds", type=float, default=0.06, help="about how long a setting is timed")
    parser.add_argument("--limit", type=float, default=float("inf"),
                        help="no operation is started when the program has run for so many seconds")
    parser.add_argument("--compile", action="store_true", help="then try torch.compile for group normalisation")
    arguments = parser.parse_args()
    if arguments.command == "time" and not arguments.shapes:
        parser.error("time needs --shapes")
    warnings.filterwarnings("ignore")  # every attention backend explains at length why it cannot be used
    run = measure if arguments.command == "time" else ceilings
    if arguments.device == "cpu":
        run(arguments)
    else:
        with torch.cuda.stream(torch.cuda.Stream()):  # one that can be captured
            run(arguments)


if __name__ == "__main__":
    main()
