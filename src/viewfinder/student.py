"""Student's t distribution: how far chance alone moves the mean of a few repetitions.

Exact to about twelve digits, for any number of degrees of freedom.
"""

import functools
import math


@functools.cache
def critical_t(chance: float, freedom: int) -> float:
    """The t that |T| exceeds with this probability: 12.706 for 0.05 and one degree of freedom."""
    low, high = 0.0, 1.0
    while two_sided_p(high, freedom) > chance:
        low, high = high, 2 * high
    # Each halving wins a bit, and a double has 53 of them.
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if two_sided_p(middle, freedom) > chance else (low, middle)
    return high


def two_sided_p(t: float, freedom: int) -> float:
    """P(|T| > |t|) of Student's t: I_x(ν/2, 1/2) at x = ν / (ν + t²)."""
    square = t * t
    return _incomplete_beta(
        freedom / 2, 0.5, freedom / (freedom + square), square / (freedom + square)
    )


def _incomplete_beta(a: float, b: float, x: float, rest: float) -> float:
    """The regularised I_x(a, b), where rest = 1 - x; DLMF 8.17.22 by Lentz's method."""
    if x <= 0 or rest <= 0:
        return 0.0 if x <= 0 else 1.0
    if x > (a + 1) / (a + b + 2):
        # Beyond this the fraction converges slowly; its mirror image converges fast.
        return 1 - _incomplete_beta(b, a, rest, x)
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
        + a * math.log(x) + b * math.log(rest)
    )  # fmt: skip
    tiny = 1e-300
    c, d = 1.0, 1 / (1 - (a + b) * x / (a + 1))
    fraction = d
    for m in range(1, 10_000):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        before = fraction
        for term in (even, odd):
            d = 1 / ((1 + term * d) or tiny)
            c = (1 + term / c) or tiny
            fraction *= c * d
        if abs(fraction - before) <= 1e-15 * abs(fraction):
            break
    return front * fraction / a
