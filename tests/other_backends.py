"""Scripts on another backend of Keras, each in a process of its own."""

import json
import os
import subprocess
import sys


def process(script, *arguments, backend):
    """What a script prints: lines of JSON, each of the backend's name and a value."""
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "KERAS_BACKEND": backend},
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert {name for name, _ in lines} == {backend}
    return [values for _, values in lines]
