"""How long a query takes over HTTP, from the first byte sent to the answer, decoding included.

    make demo                                   # in another terminal
    python benchmarks/query_latency.py --sound CLIP.ogg --image PICTURE.jpg [--runs 50] [--url URL]

The files are sent one after the other to ``/search/audio-to-image`` and ``/search/image-to-audio``
of a running service with the shipped space. Prints JSON: for each the size and the milliseconds of
a query as the client sees them (median, 95th percentile), the median of each step that the service
states (``took_ms``), and the machine.
"""

import argparse
import json
import os
import platform
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import numpy as np

WARM_UP = 5


def measure(client: httpx.Client, path: str, file: Path, runs: int) -> dict[str, Any]:
    """Send a file again and again."""
    content = file.read_bytes()
    milliseconds: list[float] = []
    steps: dict[str, list[float]] = {}
    for run in range(WARM_UP + runs):
        started = time.perf_counter()
        answer = client.post(path, params={"k": 10}, files={"file": (file.name, content)})
        elapsed = 1000 * (time.perf_counter() - started)
        took = answer.raise_for_status().json()["took_ms"]
        if run >= WARM_UP:
            milliseconds.append(elapsed)
            for step, value in took.items():
                steps.setdefault(step, []).append(value)
    return {
        "bytes": len(content),
        "runs": runs,
        "median_ms": round(statistics.median(milliseconds), 1),
        "p95_ms": round(float(np.percentile(milliseconds, 95)), 1),
        "took_ms": {step: round(statistics.median(values), 1) for step, values in steps.items()},
    }


def main() -> None:
    """Measure both."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sound", type=Path, required=True)
    parser.add_argument("--image", type=Path, required=True)
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    options = parser.parse_args()
    with httpx.Client(base_url=options.url, timeout=60.0) as client:
        results = {
            "sound": measure(client, "/search/audio-to-image", options.sound, options.runs),
            "image": measure(client, "/search/image-to-audio", options.image, options.runs),
        }
    machine = {
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
        "processor": platform.processor() or platform.machine(),
        "python": platform.python_version(),
    }
    sys.stdout.write(json.dumps({**results, "machine": machine}, indent=1) + "\n")


if __name__ == "__main__":
    main()
