"""Import rules that a contract cannot say: what must not be loaded on the way."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.training.feature_sets import paired_features
from training.datasets.feature_file import write_feature_file

ROOT = Path(__file__).resolve().parents[2]
HEAVY = (
    "av", "fastapi", "faiss", "huggingface_hub", "music21", "pydantic", "pydantic_settings",
    "pypdfium2", "resvg_py",
    "soundfile", "soxr", "sqlalchemy", "starlette", "tokenizers", "transformers", "uvicorn",
    "verovio",
)  # fmt: skip

BLOCK = """
import sys
for name in {blocked!r}:
    sys.modules[name] = None  # importing it now fails
"""


def _python(code, *arguments):
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )


def test_training_on_a_feature_file_needs_no_decoder_no_web_and_no_index(tmp_path):
    """As on a GPU machine with PyTorch, h5py and safetensors only (typer itself needs pydantic)."""
    write_feature_file(tmp_path / "f.h5", paired_features(seed=0))
    code = BLOCK.format(blocked=(*HEAVY, "typer")) + (
        "from pathlib import Path\n"
        "from training.artefact import evaluate_space, train_space\n"
        "from training.datasets.feature_file import read_feature_file\n"
        "from training.loops.linear_recipe import LinearConfig\n"
        "data, run = read_feature_file(Path(sys.argv[1])), Path(sys.argv[2])\n"
        "config = LinearConfig(ridges=(1.0,), betas=(0.5,))\n"
        "train_space('c-cca', data, run, config=config, seed=0, progress=False)\n"
        "evaluate_space(run, data)\n"
    )
    run = _python(code, tmp_path / "f.h5", tmp_path / "run")
    assert run.returncode == 0, run.stderr
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert all(np.isfinite(row["value"]) for row in metrics["rows"])


@pytest.mark.parametrize("package", ["training.cli", "service.cli", "kyomei"])
def test_the_command_line_starts_without_loading_heavy_parts(package):
    run = _python(
        f"import sys, {package}\n"
        "sys.stdout.write(','.join(sorted(set(sys.modules) & set(sys.argv[1:]))))",
        *HEAVY, "scipy", "h5py", "matplotlib",
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert run.stdout == ""
