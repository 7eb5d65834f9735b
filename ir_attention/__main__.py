"""`python -m ir_attention`, which is `ir-attention` where the command is not on the path."""

from ir_attention.cli import main

main()
