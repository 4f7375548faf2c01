"""The recipe for Flask, and beside it the usual way: a route that takes the bytes itself."""

import os
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.environ["RECIPE"])

from app import app  # noqa: E402
from flask import request  # noqa: E402


@app.put("/through")
def take_bytes():
    # The least that an app can do with them; most would send them on to a store now.
    with tempfile.TemporaryFile() as kept:
        while piece := request.stream.read(64 * 1024):
            kept.write(piece)
        return {"size": kept.tell()}
