"""Calls of the command line that end well or in one line, and pairs to spoil."""

from typer.testing import CliRunner

from ir_attention.cli import app

HEAD = "text_left,text_right,label"
ROWS = [
    f"flood {n},flood {n} in Oslo {place},{int(place == n % 3)}"
    for n in range(12)
    for place in range(3)
]
GOOD = "\n".join([HEAD, *ROWS, ""])
BOM = b"\xef\xbb\xbf"
NAMES = {"weights.safetensors", "vocabulary.json", "settings.json", "README.md"}


def ir_attention(*args, **options):
    return CliRunner().invoke(app, [str(arg) for arg in args], **options)


def good(*args, **options):
    result = ir_attention(*args, **options)
    assert result.exit_code == 0, result.output
    return result


def mistake(*args, **options):
    """The line that a mistake is answered with, and nothing else."""
    result = ir_attention(*args, **options)
    assert (result.exit_code, result.stdout) == (1, ""), result.output
    assert result.stderr.startswith("Error: ") and result.stderr.count("\n") == 1, result.stderr
    return result.stderr


def everything(folder):
    """All files and folders below, hidden ones too, with the contents of files."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }
