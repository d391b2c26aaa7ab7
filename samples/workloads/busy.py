"""A Python program that keeps the interpreter and a few of its C modules busy. Run: busy.py CPU_SECONDS."""

import json
import re
import sys
import time
import zlib

WORDS = re.compile(r"(\w+)\s+(?:\w+\s+)*?(\d+)")


def fib(n: int) -> int:
    return n if n < 2 else fib(n - 1) + fib(n - 2)  # noqa: PLR2004


def text_work(rows: list[dict[str, object]]) -> int:
    text = json.dumps(rows)
    found = WORDS.findall(text)
    return len(found) + len(zlib.compress(text.encode()))


def sort_work(n: int) -> int:
    values = [(i * 7919) % 10007 for i in range(n)]
    values.sort(key=lambda v: -v)
    return len({v % 13 for v in values})


class Ledger:
    def __init__(self) -> None:
        self.total = 0

    def __setitem__(self, key: str, value: int) -> None:
        self.total += value + len(key)


def main(seconds: float) -> None:
    ledger = Ledger()
    rows: list[dict[str, object]] = [{"name": f"row {i}", "value": i, "next": [i, i / 7]} for i in range(60)]
    while time.process_time() < seconds:
        ledger["fib"] = fib(13)
        ledger["text"] = text_work(rows)
        ledger["sort"] = sort_work(2000)
    print(ledger.total)


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 1.0)
