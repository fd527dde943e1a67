"""Ready-made lists for policies, named with ``@``: what is said of them stands in docs/profile.md.

A list only grows by names that mean the same thing; anything else is a list of its own.
"""

from collections.abc import Mapping

FORBID: Mapping[str, tuple[str, ...]] = {
    "@cuda": (
        "cuda-*",
        "cupy-cuda*",
        "faiss-gpu*",
        "jax-cuda*",
        "nvidia-*",
        "onnxruntime-gpu",
        "paddlepaddle-gpu",
        "pytorch-triton*",
        "tensorflow-gpu",
        "tensorrt*",
        "triton",
    ),
    "@notebook": (
        "ipykernel",
        "ipython",
        "ipywidgets",
        "jupyter",
        "jupyter-*",
        "jupyterlab",
        "jupyterlab-*",
        "nbconvert",
        "notebook",
    ),
    "@test-and-lint": (
        "autopep8",
        "bandit",
        "black",
        "coverage",
        "flake8",
        "flake8-*",
        "hypothesis",
        "ipdb",
        "isort",
        "mypy",
        "nose",
        "nose2",
        "nox",
        "pre-commit",
        "pycodestyle",
        "pydocstyle",
        "pyflakes",
        "pylint",
        "pyright",
        "pytest",
        "pytest-*",
        "ruff",
        "tox",
        "tox-*",
        "yapf",
    ),
}
"""Patterns of names for ``forbid``."""

# From CUDA 13 on the toolkit's own libraries have no number in their names.
_CUDA_13 = (
    "cupy-cuda13x",
    "jax-cuda13-*",
    "nvidia-*-cu13",
    "nvidia-cublas",
    "nvidia-cuda-cccl",
    "nvidia-cuda-crt",
    "nvidia-cuda-cupti",
    "nvidia-cuda-nvcc",
    "nvidia-cuda-nvrtc",
    "nvidia-cuda-runtime",
    "nvidia-cufft",
    "nvidia-cufile",
    "nvidia-curand",
    "nvidia-cusolver",
    "nvidia-cusparse",
    "nvidia-npp",
    "nvidia-nvjitlink",
    "nvidia-nvjpeg",
    "nvidia-nvtx",
    "nvidia-nvvm",
)

NOT_TOGETHER: Mapping[str, tuple[tuple[tuple[str, ...], ...], ...]] = {
    "@one-cuda": (
        (
            ("cupy-cuda11x", "jax-cuda11-*", "nvidia-*-cu11"),
            ("cupy-cuda12x", "jax-cuda12-*", "nvidia-*-cu12"),
            _CUDA_13,
        ),
    ),
    "@opencv": (
        (
            ("opencv-python",),
            ("opencv-python-headless",),
            ("opencv-contrib-python",),
            ("opencv-contrib-python-headless",),
        ),
    ),
    "@same-module": (
        (("faiss-cpu",), ("faiss-gpu*",)),
        (("onnxruntime",), ("onnxruntime-gpu",), ("onnxruntime-openvino",)),
        (("pillow",), ("pillow-simd",)),
        (("psycopg2",), ("psycopg2-binary",)),
        (("pycrypto",), ("pycryptodome",)),
        (("tensorflow",), ("tensorflow-cpu",), ("tensorflow-gpu",)),
    ),
}
"""Rules for ``not-together``: alternatives, each of patterns."""

LICENCES: Mapping[str, tuple[str, ...]] = {
    "@copyleft": ("AGPL-*", "CECILL-2*", "EUPL-*", "GPL-*", "OSL-*", "SSPL-*"),
    "@network-copyleft": ("AGPL-*", "SSPL-*"),
    "@proprietary": ("BUSL-*", "Elastic-*", "LicenseRef-*", "PolyForm-*"),
}
"""Patterns of SPDX identifiers for ``refuse-licences``."""
