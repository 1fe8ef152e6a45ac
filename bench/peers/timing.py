"""How the peers are timed, whatever they are: quantiles, the clock of a run, device events, captured graphs."""

import gc
import sys
import time

BEGIN = time.perf_counter()  # before PyTorch's import, which --limit counts too

import torch  # noqa: E402


def elapsed():
    """Seconds since this program began."""
    return time.perf_counter() - BEGIN


def note(text):
    print("%s: %s" % (sys.argv[0].rsplit("/", 1)[-1], text), file=sys.stderr, flush=True)


def first_line(failure):
    """An exception in one line."""
    lines = str(failure).strip().splitlines()
    return "%s: %s" % (type(failure).__name__, lines[0][:200] if lines else "")


def quantile(values, q):
    """Linear between the nearest ranks."""
    values = sorted(values)
    position = q * (len(values) - 1)
    low = int(position)
    return values[low] + (position - low) * (values[min(low + 1, len(values) - 1)] - values[low])


def summary(times):
    """The keys of a result line that describe its samples, of milliseconds."""
    return {
        "samples": len(times),
        "median_ms": significant(quantile(times, 0.5)),
        "p10_ms": significant(quantile(times, 0.1)),
        "p90_ms": significant(quantile(times, 0.9)),
    }


def significant(milliseconds):
    """Rounded to five digits: operations of microseconds need more decimals than steps."""
    return float("%.5g" % milliseconds)


def set_precision(precision):
    """On the GPU: f32 without TF32; tf32, and what bf16 leaves in f32, with it."""
    torch.backends.cuda.matmul.allow_tf32 = precision != "f32"
    torch.backends.cudnn.allow_tf32 = precision != "f32"


def mark():
    event = torch.cuda.Event(enable_timing=True)
    event.record()
    return event


def device_samples(run, group, least, most, seconds):
    """Milliseconds of one run(), by device events; each sample is the mean of `group` runs.

    At least `least` samples, more while `seconds` last, `most` at most. The host queues one group ahead, so that the
    device never waits for it between two samples; the run before the first sample keeps it busy at the start.
    """
    begin = time.perf_counter()
    run()
    marks = [mark()]
    while len(marks) <= least or (len(marks) <= most and time.perf_counter() - begin < seconds):
        for _ in range(group):
            run()
        marks.append(mark())
        marks[-2].synchronize()
    marks[-1].synchronize()
    return [start.elapsed_time(end) / group for start, end in zip(marks, marks[1:])]


def capture(run):
    """A CUDA graph of run() and what run() returned, whose memory the replays overwrite.

    Captured on the current stream, which must not be the default one and must be the one of the warm-up: backward passes
    run on the stream of their forward pass. A capture that fails would leave the random numbers' generator waiting for
    its end; it gets a fresh state. Garbage is not collected meanwhile: to free an older graph would break the capture.
    """
    graph = torch.cuda.CUDAGraph()
    gc.disable()
    try:
        with torch.cuda.graph(graph, stream=torch.cuda.current_stream()):
            result = run()
    except BaseException:
        generator = torch.cuda.default_generators[torch.cuda.current_device()]
        generator.graphsafe_set_state(torch.Generator("cuda").graphsafe_get_state())
        raise
    finally:
        gc.enable()
    return graph, result
