"""The two forms to the byte, for a lock that has all there is: markers, variants, a named index."""

from exporting import read_pylock, read_requirements

from basestore.digest import Digest
from basestore.lock.export.pylock import pylock
from basestore.lock.export.requirements import requirements
from basestore.lock.model import ImageConfig, Lock, PlatformLock, Wheel
from basestore.profile.model import Index
from basestore.target import Platform

AMD64, ARM64 = Platform("amd64"), Platform("arm64")
LOCK = Digest("1" * 64)
INDEXES = (
    Index("cpu", "https://cpu.example/whl", ("torch", "torchvision")),
    Index("unused", "https://unused.example/simple", ("elsewhere",)),
)


def wheel(name: str, version: str, tag: str, digit: str) -> Wheel:
    """A wheel whose digest is one digit over and over."""
    return Wheel(name, version, f"{name}-{version}-{tag}.whl", 9, Digest(digit * 64), "ml")


IDNA = wheel("idna", "3.11", "py3-none-any", "a")
ORJSON_AMD64 = wheel("orjson", "3.11.4", "cp311-cp311-manylinux_2_17_x86_64", "b")
ORJSON_ARM64 = wheel("orjson", "3.11.4", "cp311-cp311-manylinux_2_17_aarch64", "c")
PURE = wheel("regex", "1.0", "py3-none-any", "d")
NATIVE = wheel("regex", "1.0", "cp311-cp311-manylinux_2_17_x86_64", "e")
TORCH = wheel("torch", "2.13.0+cpu", "cp311-cp311-manylinux_2_28_x86_64", "f")
BOTH = Lock(
    "ml",
    ImageConfig(),
    (
        PlatformLock(AMD64, "3.11.2", "2.36", (), (TORCH, IDNA, ORJSON_AMD64, NATIVE)),
        PlatformLock(ARM64, "3.11.2", "2.36", (), (IDNA, ORJSON_ARM64, PURE)),
    ),
    ("ml",),
)
URLS = {
    one.sha256: f"https://files.example/{one.file.replace('+', '%2B')}"
    for platform in BOTH.platforms
    for one in platform.wheels
}
ON_AMD64 = "platform_machine == 'x86_64' and sys_platform == 'linux'"
ON_ARM64 = "platform_machine == 'aarch64' and sys_platform == 'linux'"


def alone(*wheels: Wheel) -> Lock:
    """A lock for one platform."""
    platform = PlatformLock(AMD64, "3.11.2", "2.36", (), wheels)
    return Lock("ml", ImageConfig(), (platform,), ("ml",))


def test_requirements_of_two_platforms() -> None:
    text = requirements(BOTH, LOCK, INDEXES).decode()

    assert text == (
        "# Written by basestore from locks/ml.lock,\n"
        f"# sha256:{'1' * 64}.\n"
        "# For linux/amd64, linux/arm64. Install it with\n"
        "#     pip install --require-hashes --only-binary :all: --no-deps -r FILE\n"
        "# From the index cpu, https://cpu.example/whl:\n"
        "#     torch\n"
        "idna==3.11 \\\n"
        f"    --hash=sha256:{'a' * 64}\n"
        "orjson==3.11.4 \\\n"
        f"    --hash=sha256:{'b' * 64} \\\n"
        f"    --hash=sha256:{'c' * 64}\n"
        f"regex==1.0 ; {ON_AMD64} \\\n"
        f"    --hash=sha256:{'e' * 64}\n"
        f"regex==1.0 ; {ON_ARM64} \\\n"
        f"    --hash=sha256:{'d' * 64}\n"
        f"torch==2.13.0+cpu ; {ON_AMD64} \\\n"
        f"    --hash=sha256:{'f' * 64}\n"
    )


def test_pylock_of_one_platform() -> None:
    """Where there is one platform, nothing needs a marker."""
    text = pylock(alone(IDNA, TORCH), LOCK, INDEXES, URLS).decode()

    assert text == (
        "# Written by basestore from locks/ml.lock,\n"
        f"# sha256:{'1' * 64}. Install it with\n"
        "#     uv pip sync FILE\n"
        "# or, from pip 26.1 on, with\n"
        "#     pip install --no-deps -r FILE\n"
        'lock-version = "1.0"\n'
        "environments = [\n"
        f"  \"implementation_name == 'cpython' and {ON_AMD64}\",\n"
        "]\n"
        'requires-python = "==3.11.*"\n'
        'created-by = "basestore"\n'
        "\n"
        "[[packages]]\n"
        'name = "idna"\n'
        'version = "3.11"\n'
        "wheels = [\n"
        '  { name = "idna-3.11-py3-none-any.whl", '
        'url = "https://files.example/idna-3.11-py3-none-any.whl", size = 9, '
        f'hashes = {{ sha256 = "{"a" * 64}" }} }},\n'
        "]\n"
        "\n"
        "[[packages]]\n"
        'name = "torch"\n'
        'version = "2.13.0+cpu"\n'
        'index = "https://cpu.example/whl"\n'
        "wheels = [\n"
        '  { name = "torch-2.13.0+cpu-cp311-cp311-manylinux_2_28_x86_64.whl", url = '
        '"https://files.example/torch-2.13.0%2Bcpu-cp311-cp311-manylinux_2_28_x86_64.whl", '
        f'size = 9, hashes = {{ sha256 = "{"f" * 64}" }} }},\n'
        "]\n"
        "\n"
        "[tool.basestore]\n"
        'profile = "ml"\n'
        f'lock = "sha256:{"1" * 64}"\n'
        'platforms = ["linux/amd64"]\n'
    )


def test_pylock_of_two_platforms() -> None:
    read = read_pylock(pylock(BOTH, LOCK, INDEXES, URLS))

    rows = [
        (package.name, str(package.marker or "").replace('"', "'"), len(package.wheels or ()))
        for package in read.packages
    ]
    assert rows == [
        ("idna", "", 1),
        ("orjson", "", 2),
        ("regex", ON_AMD64, 1),
        ("regex", ON_ARM64, 1),
        ("torch", ON_AMD64, 1),
    ]
    assert len(read.environments or ()) == 2


def test_a_lock_without_wheels() -> None:
    assert read_pylock(pylock(alone(), LOCK, INDEXES, {})).packages == []
    assert read_requirements(requirements(alone(), LOCK, INDEXES)) == []
