"""``python -m cli``: the same as ``tessera``, where the project is not installed but copied (the image)."""

from cli.main import app

app(prog_name="tessera")
