"""How far `kprof compare` can be believed: the figures of docs/how-to/compare.md.

    python tests/bench/calibrate_compare.py [--tries N]

Pairs of recordings are drawn from generated programs whose distance is known; how often does the interval hold it, and
how often are two recordings of one program farther apart than chance is said to take them? Then rounds of two
recorders, of a program whose mix varies by round: how often is one said to see something else, when it does and when
it does not?
"""

import argparse
from itertools import product

import numpy as np

from kprof.analysis.agreement import agree, match
from kprof.analysis.noise import measure_noise
from kprof.model import Profile, ProfileBuilder

SIGMA = 0.2


def drawn(random: np.random.Generator, weight: np.ndarray, samples: int) -> Profile:
    """Return a recording of so many samples of a program with one stack a function."""
    builder = ProfileBuilder()
    for number, count in enumerate(random.multinomial(samples, weight / weight.sum()).tolist()):
        if count:
            builder.add(["main", f"f{number}"], count, count=count)
    return builder.build()


def moved(weight: np.ndarray, share: float) -> np.ndarray:
    """Return the weights with so much of all moved to the first function."""
    other = weight * (1 - share)
    other[0] += share
    return other


def intervals(tries: int) -> None:
    """Print how often intervals hold, and bounds of chance are kept."""
    print("| stacks | samples | true distance | interval holds it | one program: within chance |")
    print("|--:|--:|--:|--:|--:|")
    for stacks, samples, share in product((20, 200, 1000), (1000, 10_000), (0.0, 0.05, 0.2)):
        held = kept = 0
        distances = []
        for seed in range(tries):
            random = np.random.default_rng(seed)
            weight = random.dirichlet(np.full(stacks, 0.5))
            other = moved(weight, share)
            distance = np.abs(weight - other).sum() / 2
            distances.append(distance)
            first, second, again = (drawn(random, w, samples) for w in (weight, other, weight))
            chance = agree(match(first, second)).chance
            held += chance.low - 1e-9 <= distance <= chance.high
            same = agree(match(first, again))
            kept += same.distance <= same.chance.same_most
        print(
            f"| {stacks} | {samples:,} | {np.mean(distances):.1%} | {held / tries:.0%} | {kept / tries:.0%} |",
            flush=True,
        )


def excesses(tries: int) -> None:
    """Print how often two recorders are said to be farther apart than two runs of one."""
    print("| rounds | moved by one of them | said to be farther apart |")
    print("|--:|--:|--:|")
    for rounds, share in product((3, 5, 10), (0.0, 0.05, 0.1)):
        said = 0
        for seed in range(tries):
            random = np.random.default_rng(seed)
            weight = random.dirichlet(np.full(60, 0.5))
            taken = []
            for _ in range(rounds):
                mix = weight * np.exp(random.normal(0, SIGMA, len(weight)))
                mix /= mix.sum()
                taken.append([drawn(random, mix, 2000), drawn(random, moved(mix, share), 2000)])
            said += measure_noise(taken).excess[0].low > 0
        print(f"| {rounds} | {share:.0%} | {said / tries:.0%} |", flush=True)


def main() -> None:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--tries", type=int, default=100)
    args = parser.parse_args()
    intervals(args.tries)
    excesses(args.tries)


if __name__ == "__main__":
    main()
