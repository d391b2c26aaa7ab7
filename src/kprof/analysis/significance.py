"""Is a difference more than chance? Welch's t on the runs of two sides, and the false discovery rate.

The unit of observation is a run, never a sample: samples of one run share its mix of work, so that a test
which counts them finds differences between two runs of one program.
"""

from __future__ import annotations

import warnings

import numpy as np

from kprof.analysis.runs import Float

LEAST_RUNS = 2
# Shares that are equal in all but the last bits are equal.
_SAME = 1e-12


def welch(before: Float, after: Float) -> Float:
    """Return the two-sided p-values of Welch's t-test (B. L. Welch, Biometrika 34, 1947).

    Args:
        before: One row a run, shape (r, n); 2 runs or more.
        after: Likewise, shape (s, n).

    Returns:
        Shape (n,). Where no side varies, 1 if both are the same and 0 if not.
    """
    from scipy.stats import ttest_ind  # noqa: PLC0415 - takes half a second to import

    p = np.ones(before.shape[1])
    steady = (np.ptp(before, axis=0) < _SAME) & (np.ptp(after, axis=0) < _SAME)
    p[steady & (np.abs(before[0] - after[0]) >= _SAME)] = 0.0
    if not steady.all():
        with warnings.catch_warnings():
            # One side may well not vary at all, as what a side never does: the other's variance is enough.
            warnings.filterwarnings("ignore", "Precision loss", RuntimeWarning)
            p[~steady] = ttest_ind(after[:, ~steady], before[:, ~steady], equal_var=False, axis=0).pvalue
    return p


def adjusted(p: Float) -> Float:
    """Return rates of false discovery (Y. Benjamini, Y. Hochberg, J. R. Stat. Soc. B 57, 1995).

    Args:
        p: The p-values of all that was tested, shape (n,).

    Returns:
        Shape (n,). To believe those up to a rate makes at most that share of what is believed false.
    """
    from scipy.stats import false_discovery_control  # noqa: PLC0415 - takes half a second to import

    return np.asarray(false_discovery_control(p, method="bh")) if len(p) else p
