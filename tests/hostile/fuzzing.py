"""Reads images changed at random until the time is over: `python -m hostile.fuzzing SECONDS SEED`.

A process of its own, as `hostile.reading` is, and many more changes than hypothesis makes.
"""

import faulthandler
import random
import sys
import time
from collections import Counter

from hostile.mutating import NUMBERS, OTHERS, WHOLE, with_right_checksums
from hostile.reading import REASONS, read


def changed(choose: random.Random, whole: bytes) -> bytes:
    data = bytearray(whole)
    for _ in range(choose.randint(1, 6)):
        end = choose.choice((min(400, len(data)), len(data)))
        at, length = choose.randrange(max(1, end)), choose.randint(0, 60)
        change = choose.randrange(6)
        if change == 0 and at < len(data):
            data[at] ^= 1 << choose.randrange(8)
        elif change == 1:
            data[at : at + length] = choose.randbytes(length)
        elif change == 2:
            del data[at : at + length]
        elif change == 3:
            data[at:at] = data[at : at + length]
        elif change == 4:
            data[at : at + 4] = choose.choice(NUMBERS)
        else:
            data[at : at + length] = choose.choice(OTHERS)[at : at + length]
    content = bytes(data)
    return with_right_checksums(content) if content[:4] == b"\x89PNG" else content


def main(seconds: float, seed: int) -> None:
    faulthandler.enable()
    choose, outcomes, slowest = random.Random(seed), Counter(), 0.0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        name = choose.choice(tuple(WHOLE))
        data = changed(choose, WHOLE[name])
        began = time.process_time()
        outcome = read(data)
        slowest = max(slowest, time.process_time() - began)
        if outcome not in REASONS:
            raise AssertionError((name, outcome, data))
        outcomes[outcome] += 1
    sys.stdout.write(f"{sum(outcomes.values())} files, {slowest:.2f} s at most: {outcomes}\n")


if __name__ == "__main__":
    main(float(sys.argv[1]), int(sys.argv[2]))
