"""Two nearest neighbours with FAISS's exact index, as a peer; prints JSON lines as nearest.py does.

    nearest_faiss.py --shape 256x1024x1024 [--threads 2 --seconds 4]
    nearest_faiss.py --wrong --shape 1000x4096x1024

Needs the packages faiss and numpy. The same kind of data as nearest.py: 8-bit images, every fourth query a reference with one pixel
moved by one step. IndexFlatL2 is FAISS's exact search; what it returns are squares, whose roots are taken here.
"""

import argparse
import json
import os
import time

import faiss
import numpy

from timing import quantile


def data(queries, references, dimension):
    random = numpy.random.default_rng(1)
    training = random.integers(0, 256, (references, dimension)).astype(numpy.float32) / 255
    generated = random.integers(0, 256, (queries, dimension)).astype(numpy.float32) / 255
    copies = numpy.arange(0, queries, 4)
    generated[copies] = training[copies % references]
    generated[copies, copies % dimension] += numpy.float32(1 / 255)
    return generated, training, copies


def nearest(index, generated):
    """Distances and indices of the two nearest."""
    squares, indices = index.search(generated, 2)
    return numpy.sqrt(numpy.maximum(squares, 0)), indices


def flat(training):
    index = faiss.IndexFlatL2(training.shape[1])
    index.add(training)
    return index


def measure(arguments, generated, training, copies):
    index = flat(training)
    times = []
    begin = time.perf_counter()
    while len(times) < 5 or (len(times) < 100 and time.perf_counter() - begin < arguments.seconds):
        start = time.perf_counter()
        distances, indices = nearest(index, generated)
        times.append(1e3 * (time.perf_counter() - start))
    times = times[1:]
    print(json.dumps({
        "benchmark": "nearest_neighbours",
        "peer": "faiss.IndexFlatL2",
        "version": faiss.__version__,
        "shape": arguments.shape,
        "type": "f32",
        "threads": arguments.threads,
        "setting": "flat",
        "samples": len(times),
        "median_ms": round(quantile(times, 0.5), 3),
        "p10_ms": round(quantile(times, 0.1), 3),
        "p90_ms": round(quantile(times, 0.9), 3),
        "tried_ms": {"flat": round(quantile(times, 0.5), 3)},
        "near_copies_found": float((indices[copies, 0] == copies % len(training)).mean()),
        "near_copies_worst_relative_error": round(float(numpy.abs(distances[copies, 0] * 255 - 1).max()), 4),
    }), flush=True)


def truth(queries, training):
    """Distances and indices of the two nearest, by differences in f64; ties by index."""
    distances, indices = [], []
    for query in queries.astype(numpy.float64):
        squares = ((training - query) ** 2).sum(1)
        order = numpy.argsort(squares, kind="stable")[:2]
        distances.append(numpy.sqrt(squares[order]))
        indices.append(order)
    return numpy.array(distances), numpy.array(indices)


def count_wrong(arguments, training):
    random = numpy.random.default_rng(2)
    queries = int(arguments.shape.split("x")[0])
    index = flat(training)
    exact = training.astype(numpy.float64)
    for noise in (0, 1 / 255, 0.02, 0.3):
        rows = numpy.arange(queries) % len(training)
        noisy = (training[rows] + noise * random.standard_normal((queries, training.shape[1]))).astype(numpy.float32)
        distances, indices = truth(noisy, exact)
        found, where = nearest(index, noisy)
        wrong = numpy.abs(found[:, 0] - distances[:, 0])
        print(json.dumps({
            "wrong_answers": "faiss.IndexFlatL2",
            "type": "f32",
            "shape": arguments.shape,
            "noise": round(noise, 5),
            "wrong_first": float((where[:, 0] != indices[:, 0]).mean()),
            "wrong_second": float((where[:, 1] != indices[:, 1]).mean()),
            "wrong_distance": float((wrong / numpy.maximum(distances[:, 0], 1e-30) > 1e-3).mean()),
            "worst_distance": float(wrong.max()),
        }), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", default="256x1024x1024", help="queries x references x dimension")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--wrong", action="store_true", help="count wrong answers instead of timing")
    arguments = parser.parse_args()
    faiss.omp_set_num_threads(arguments.threads)
    generated, training, copies = data(*[int(size) for size in arguments.shape.split("x")])
    if arguments.wrong:
        count_wrong(arguments, training)
    else:
        measure(arguments, generated, training, copies)


if __name__ == "__main__":
    main()
