"""The statistics against scipy and statsmodels over random inputs (SEED NUMBER); run by test_statistics_reference.py.

This program runs in an environment of its own (.venv-reference, made by do.py): numpy and pandas, which these packages
bring, never stand beside the product. From consult it imports only pure functions. It prints one line a comparison and
stops at the first input on which the two differ by more than 1e-9.
"""

import math
import random
import sys

import numpy
from scipy import stats
from statsmodels.stats.inter_rater import cohens_kappa
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from consult.audit import funnel, spc, statistics

CLOSE = 1e-9


def close(ours, theirs):
    return ours == theirs or abs(ours - theirs) <= CLOSE


def sizes(draw):
    """How many cases: most often few, at times a whole national round or a million."""
    return draw.choice([draw.randint(1, 12), draw.randint(1, 60), draw.randint(1, 400), 5524, draw.randint(1, 10**6)])


def proportion(draw):
    n = sizes(draw)
    return draw.choice([0, n, draw.randint(0, n), draw.randint(0, n)]), n


def share(draw):
    return draw.choice([draw.random(), draw.random() / 100, 1 - draw.random() / 100, 0.55, 0.95])


def wilson(draw):
    k, n = proportion(draw)
    return (k, n), statistics.wilson(k, n), proportion_confint(k, n, method="wilson")


def newcombe(draw):
    (k1, n1), (k2, n2) = proportion(draw), proportion(draw)
    theirs = confint_proportions_2indep(k1, n1, k2, n2, compare="diff", method="newcomb")
    return (k1, n1, k2, n2), statistics.newcombe(k1, n1, k2, n2), (k1 / n1 - k2 / n2, *theirs)


def tails(draw):
    (k, n), p = proportion(draw), share(draw)
    if draw.random() < 0.5:  # near the mean, where the tails are neither 0 nor 1
        k = min(n, max(0, round(n * p + draw.gauss(0, 2) * math.sqrt(n * p * (1 - p)))))
    ours = statistics.lower_tail(k, n, p), statistics.upper_tail(k, n, p)
    return (k, n, p), ours, (stats.binom.cdf(k, n, p), stats.binom.sf(k - 1, n, p))


def small_tails(draw):
    """Tails far out, compared as ratios: 1e-9 of something tiny would show nothing."""
    n, p = draw.randint(10, 5524), 0.02 + 0.96 * draw.random()
    k = max(0, round(n * p - draw.uniform(2, 6) * math.sqrt(n * p * (1 - p))))
    theirs = stats.binom.cdf(k, n, p)
    return (k, n, p), (statistics.lower_tail(k, n, p) / theirs if theirs else 1.0,), (1.0,)


def limits(draw):
    n, p = sizes(draw), share(draw)
    found = []
    for tail in (statistics.UNUSUAL, statistics.FAR_OUTSIDE):
        low, high = statistics.low_limit(n, p, tail), statistics.high_limit(n, p, tail)
        found += [-1 if low is None else low, n + 1 if high is None else high]
    theirs = [value for tail in (statistics.UNUSUAL, statistics.FAR_OUTSIDE) for value in scipy_limits(n, p, tail)]
    return (n, p), found, theirs


def scipy_limits(n, p, tail):
    low = int(stats.binom.ppf(tail, n, p))  # the smallest k whose lower tail reaches `tail`
    low = low if stats.binom.cdf(low, n, p) <= tail else low - 1
    high = int(stats.binom.isf(tail, n, p))  # the smallest k beyond which at most `tail` lies
    return max(low, -1), high + 1


def funnel_limits(draw):
    n, pooled = draw.randint(1, 6000), share(draw)
    ours = [x for tail in funnel.TAILS.values() for x in (lambda f: (f.low, f.high))(funnel.limits(n, pooled, tail))]
    theirs = []
    for tail in funnel.TAILS.values():
        low, high = scipy_limits(n, pooled, tail)
        theirs += [low + 1, high - 1]
    return (n, pooled), ours, theirs


def kappa(draw):
    size = draw.randint(2, 5)
    table = [[draw.choice([0, 1, draw.randint(0, 60)]) for _ in range(size)] for _ in range(size)]
    table[0][0] += 1
    table[1][0] += 1  # two categories at least were used: else kappa is not defined
    table[0][1] += 1
    theirs = cohens_kappa(numpy.array(table), return_results=False)
    total = numpy.array(table)
    return table, statistics.agreement(table), (numpy.trace(total) / total.sum(), theirs, total.sum())


def chi_square(draw):
    df = draw.choice([1, 2, 3, draw.randint(1, 200)])
    x = max(0.0, draw.gauss(df, 2 * math.sqrt(2 * df)) * draw.choice([0.1, 1, 1, 3]))
    return (x, df), (statistics.chi_square_tail(x, df),), (stats.chi2.sf(x, df),)


def dispersion(draw):
    sites = [proportion_up_to_400(draw) for _ in range(draw.randint(2, 40))]
    sites += [(1, 2)]  # some met and some not met
    found = funnel.dispersion(sites)
    table = numpy.array([[k, n - k] for k, n in sites])
    theirs = stats.chi2_contingency(table, correction=False)
    scale = max(1.0, theirs.statistic)
    return sites, (found.chi_square / scale, found.p, found.df), (theirs.statistic / scale, theirs.pvalue, theirs.dof)


def proportion_up_to_400(draw):
    n = draw.randint(1, 400)
    return draw.randint(0, n), n


def precision(draw):
    n, p = sizes(draw), share(draw)
    return (n, p), statistics.precision(n, p), proportion_confint(p * n, n, method="wilson")


def cases_needed(draw):
    half, p = draw.uniform(0.01, 0.4), draw.choice([0.5, 0.5, share(draw)])
    sizes = numpy.arange(1, 11_000)
    low, high = proportion_confint(p * sizes, sizes, method="wilson")
    return (half, p), (statistics.cases_needed(half, p),), (int(sizes[(high - low) / 2 <= half][0]),)


def p_chart(draw):
    points = [proportion_up_to_400(draw) for _ in range(draw.randint(1, 36))]
    chart = spc.p_chart(points)
    k, n = numpy.array(points).T
    mean = k.sum() / n.sum()
    half = 3 * numpy.sqrt(mean * (1 - mean) / n)
    theirs = [mean, *numpy.clip(mean - half, 0, 1), *numpy.clip(mean + half, 0, 1)]
    return points, [chart.mean, *(p.low for p in chart.points), *(p.high for p in chart.points)], theirs


def run_chart(draw):
    points = [proportion_up_to_400(draw) for _ in range(draw.randint(1, 36))]
    k, n = numpy.array(points).T
    return points, (spc.run_chart(points).median,), (numpy.median(k / n),)


COMPARED = (
    wilson, newcombe, tails, small_tails, limits, funnel_limits, kappa, chi_square, dispersion, precision, cases_needed,
    p_chart, run_chart,
)  # fmt: skip


def main(seed, inputs):
    for compare in COMPARED:
        draw = random.Random(f"{seed} {compare.__name__}")
        for number in range(inputs):
            given, ours, theirs = compare(draw)
            if len(ours) != len(theirs) or not all(map(close, ours, theirs)):
                print(f"{compare.__name__} {given}: ours {ours}, theirs {theirs} (seed {seed}, input {number})")
                return 1
        print(f"{compare.__name__}: {inputs} inputs, no difference", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
