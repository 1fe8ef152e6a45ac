"""Prints the numbers that the tests of dev.rote.metrics compare with, computed by NumPy and SciPy in their own ways.

Run: python3 sample_metrics.py
"""
import numpy as np
from scipy import stats
from scipy.optimize import minimize
from scipy.special import logsumexp
from scipy.spatial.distance import cdist


def rows(kind, count, d):
    """The same numbers as MetricSets.rows in the tests, in float32."""
    i = np.arange(count)[:, None]
    j = np.arange(d)[None, :]
    v = (i * 7919 + j * 104729 + kind * 1299709 + i * i * 31 + i * j * 17) % 1009
    return (v / 1009).astype(np.float32).astype(np.float64)


training, held_out = rows(0, 80, 6), rows(1, 40, 6)
samples = (rows(2, 50, 6).astype(np.float32) * np.float32(0.75)).astype(np.float64)
samples[:8] = training[::10]

own = cdist(training, training)
np.fill_diagonal(own, np.inf)
to_training = cdist(samples, training)

# Alaa et al. 2022
nearest = to_training.argmin(axis=1)
print("authentic", int((to_training.min(axis=1) > own.min(axis=1)[nearest]).sum()))

# Carlini et al. 2023, alpha 0.5, 10 neighbours
ten = np.sort(to_training, axis=1)[:, :10]
print("calibrated", repr((ten[:, 0] / (0.5 * ten.mean(axis=1)))[10:14].tolist()))

# Kynkäänniemi et al. 2019, Naeem et al. 2020
k = 3
radius = np.sort(own, axis=1)[:, k - 1]
between = cdist(samples, samples)
np.fill_diagonal(between, np.inf)
reach = np.sort(between, axis=1)[:, k - 1]
inside = to_training <= radius
print("prdc", inside.any(axis=1).mean(), (to_training <= reach[:, None]).any(axis=0).mean(),
      inside.sum() / (k * len(samples)), (to_training.min(axis=0) <= radius).mean())

# Binkowski et al. 2018: unbiased estimator over all pairs, kernel of equal counts
x, y = samples, training[:50]
kernel = lambda a, b: (a @ b.T / a.shape[1] + 1) ** 3
n = len(x)
kxx, kyy = kernel(x, x), kernel(y, y)
print("kernel distance", repr(float((kxx.sum() - np.trace(kxx) + kyy.sum() - np.trace(kyy)) / (n * (n - 1))
                                     - 2 * kernel(x, y).mean())))

# Chong & Forsyth 2020: the line
counts = np.array([10, 20, 30, 50, 100])
distances = np.array([3.1, 2.0, 1.75, 1.4, 1.22])
fit = stats.linregress(1 / counts, distances)
print("line", repr(float(fit.intercept)), repr(float(fit.slope)),
      repr(float(fit.intercept_stderr * stats.t.ppf(0.975, len(counts) - 2))))

# Meehan et al. 2020: z-score of Mann & Whitney's U
a = np.array([0, 0, 0.5, 1, 1, 2, 3.5, 3.5, 4])
b = np.array([0.5, 1, 1.5, 2, 2, 5, 6])
u = stats.mannwhitneyu(a, b).statistic
print("z", repr(float((u - len(a) * len(b) / 2) / np.sqrt(len(a) * len(b) * (len(a) + len(b) + 1) / 12))))


# Jiralerspong et al. 2023: variances by a quasi-Newton method
def mixture(squares, log_variances, d):
    terms = -0.5 * squares / np.exp(log_variances) - 0.5 * d * log_variances - np.log(len(log_variances))
    return -logsumexp(terms, axis=1).mean()


for d, c in ((2, 20), (3, 8)):
    squares = cdist(rows(0, 80, d), rows(2, c, d)) ** 2
    best = minimize(lambda s: mixture(squares, s, d), np.zeros(c), method="L-BFGS-B", bounds=[(-100, 20)] * c,
                    options={"maxiter": 5000, "maxfun": 500000, "ftol": 1e-14})
    print("mixture", d, c, repr(float(mixture(squares, np.zeros(c), d))), repr(float(best.fun)))
