"""The order of versions, against dpkg's own.

``PYTHONPATH=tests python tests/property/test_debian_versions.py 10000`` compares so many pairs.
"""

import random
import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st
from services import need_program

from basestore.debian.version import Version

PARTS = ["0", "00", "1", "9", "10", "010", "a", "b", "Z", "rc", "~", "~~", "+", ".", "dfsg", "+b"]


def random_version(chance: random.Random) -> str:
    """A valid version out of parts that make neighbours and surprising equals likely."""
    epoch = chance.choice(["", "", "", "0:", "1:", "01:", "12:"])
    upstream = "".join(chance.choices([*PARTS, "-", ":"], k=chance.randint(1, 6)))
    if not epoch:
        upstream = upstream.replace(":", ".")
    revision = "".join(chance.choices(PARTS, k=chance.randint(1, 4)))
    dash = chance.choice(["", "-"])
    return f"{epoch}{chance.choice('019')}{upstream.rstrip('-')}{(dash + revision) if dash else ''}"


def random_pairs(seed: int, count: int) -> list[tuple[str, str]]:
    """Pairs of versions, every other one made of a version and a near one."""
    chance = random.Random(seed)
    pairs = []
    for number in range(count):
        one, other = random_version(chance), random_version(chance)
        if number % 2:
            cut = chance.randint(1, len(one))
            other = one[:cut] + chance.choice(PARTS) + one[cut:]
        if all(map(_valid, (one, other))):
            pairs.append((one, other))
    return pairs


def dpkg_orders(pairs: list[tuple[str, str]]) -> list[str]:
    """``lt``, ``eq`` or ``gt`` of each pair, as dpkg says."""
    loop = (
        "while read -r one other; do"
        ' if dpkg --compare-versions "$one" lt "$other"; then echo lt;'
        ' elif dpkg --compare-versions "$one" eq "$other"; then echo eq;'
        " else echo gt; fi; done"
    )
    asked = "".join(f"{one} {other}\n" for one, other in pairs)
    command = ["sh", "-c", loop]
    done = subprocess.run(command, input=asked, capture_output=True, check=True, text=True)
    assert not done.stderr
    return done.stdout.split()


def our_order(one: str, other: str) -> str:
    """``lt``, ``eq`` or ``gt``, as we say."""
    ours, theirs = Version.parse(one), Version.parse(other)
    return "lt" if ours < theirs else "gt" if ours > theirs else "eq"


def differences(pairs: list[tuple[str, str]]) -> list[tuple[str, str, str, str]]:
    """The pairs that dpkg orders otherwise."""
    ours = [our_order(*pair) for pair in pairs]
    theirs = dpkg_orders(pairs)
    assert len(ours) == len(theirs)
    return [(*pair, a, b) for pair, a, b in zip(pairs, ours, theirs, strict=True) if a != b]


def _valid(text: str) -> bool:
    try:
        version = Version.parse(text)
    except ValueError:
        return False
    return version.upstream[0].isdigit()  # Or dpkg warns.


def test_the_order_is_dpkgs() -> None:
    need_program("dpkg")
    pairs = random_pairs(1, 400)
    assert len(pairs) > 300
    assert not differences(pairs)


versions = st.integers().map(lambda seed: random_version(random.Random(seed))).filter(_valid)


@given(versions, versions, versions)
def test_the_order_is_total(one: str, other: str, third: str) -> None:
    a, b, c = sorted(map(Version.parse, (one, other, third)))
    assert a <= b <= c
    assert a <= c
    assert (a == b) is (not a < b)
    assert (hash(a) == hash(b)) or a != b


@given(versions)
def test_a_tilde_goes_before_everything(text: str) -> None:
    assert Version.parse(text + "~") < Version.parse(text)
    assert Version.parse(text + "~~") < Version.parse(text + "~")


if __name__ == "__main__":
    asked = random_pairs(2, int(sys.argv[1]))
    found = differences(asked)
    print(f"{len(asked)} pairs, {len(found)} differences", *found, sep="\n")
    sys.exit(bool(found))
