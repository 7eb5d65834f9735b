"""What others watch a training with: TensorBoard, and Weights & Biases. Neither is needed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from ir_attention.backend import load_tensorflow
from ir_attention.errors import DataError, MissingExtra
from ir_attention.training.loop import Watch

__all__ = ["tracked"]


@contextmanager
def tracked(
    tensorboard: str | Path | None, wandb: str | None, facts: dict[str, Any]
) -> Iterator[Watch]:
    """What is to be told each epoch's row of a training's history, and `log_every`'s steps.

    Args:
        tensorboard: A folder for TensorBoard's event files, or None.
        wandb: A project of Weights & Biases, or None. Only then anything goes over the network.
        facts: What the run is called and was asked for: its model, seed and options.

    Raises:
        DataError: One of both is not text, or the folder cannot be made.
        MissingExtra: What was asked for is not installed.
    """
    with ExitStack() as stack:
        watches = []
        if tensorboard is not None:
            if not isinstance(tensorboard, str | Path):
                raise DataError(f"`tensorboard` must be a folder. Received: {tensorboard!r}")
            watches.append(stack.enter_context(_events(Path(tensorboard))))
        if wandb is not None:
            if not isinstance(wandb, str):
                raise DataError(f"`wandb` must be a project's name. Received: {wandb!r}")
            watches.append(stack.enter_context(_wandb(wandb, facts)))

        def watch(row: dict[str, Any]) -> None:
            for one in watches:
                one(row)

        yield watch


@contextmanager
def _events(folder: Path) -> Iterator[Watch]:
    try:
        import tensorboard.summary  # noqa: F401  tf.summary needs it
    except ImportError as error:
        raise MissingExtra(
            "TensorBoard is not installed: pip install 'ir_attention[track]'"
        ) from error
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(
            f"{folder}: must be a folder for TensorBoard's events ({error.strerror}). Received: "
            f"tensorboard={str(folder)!r}"
        ) from error
    tf = load_tensorflow()
    summary = tf.summary
    try:
        writer = summary.create_file_writer(str(folder))
        writer.flush()
    except tf.errors.OpError as error:
        raise DataError(f"{folder}: TensorBoard's events cannot be written there") from error

    def watch(row: dict[str, Any]) -> None:
        with writer.as_default():
            within = "step/" if "step" in row else ""
            for name, value in _numbers(row).items():
                summary.scalar(within + name, value, step=row.get("step", row["epoch"]))
        writer.flush()

    try:
        yield watch
    finally:
        writer.close()


@contextmanager
def _wandb(project: str, facts: dict[str, Any]) -> Iterator[Watch]:
    try:
        import wandb
    except ImportError as error:
        raise MissingExtra("Weights & Biases is not installed: pip install wandb") from error
    run = wandb.init(project=project, config=facts)
    try:
        yield lambda row: run.log(dict(row))
    finally:
        run.finish()


def _numbers(row: dict[str, Any]) -> dict[str, float]:
    return {name: float(value) for name, value in row.items() if name not in ("epoch", "step")}
