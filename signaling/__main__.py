"""`python -m signaling` is the command `zhuandi`."""

from signaling.cli import app

app()
