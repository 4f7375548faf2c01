"""Hands out temp URLs and tickets: files go straight to the store, and no worker here sees a byte of them.

    UPLOADS=s3://inbox gunicorn --workers 4 app:app
"""

import json
import os
import re
import subprocess
import uuid

from flask import Flask, abort, request

app = Flask(__name__)
SKYLIFT = os.environ.get("SKYLIFT", "skylift")
UPLOADS = os.environ.get("UPLOADS", "s3://inbox")
LARGEST = 50 * 2**30
# From here on a ticket: parts in parallel, and an upload that is cut goes on.
LARGE = 100 * 2**20


def skylift(*words):
    """Runs Skylift without a shell: no word of a visitor is ever read as a command."""
    try:
        done = subprocess.run([SKYLIFT, *words, "--json"], stdin=subprocess.DEVNULL, capture_output=True, timeout=30)
        answer = json.loads(done.stdout)
    except (OSError, subprocess.TimeoutExpired, ValueError) as error:
        app.logger.error("skylift did not answer: %s", type(error).__name__)
        abort(502)
    if not answer["ok"]:
        app.logger.error("skylift: %s", answer["failures"][0]["message"])
        abort(502)
    return answer


def read_wish():
    """Reads what a visitor wants to upload. What is signed is what was looked at here."""
    wish = request.get_json(silent=True)
    if not isinstance(wish, dict):
        abort(400)
    name, size, kind = wish.get("name"), wish.get("size"), wish.get("type")
    if not isinstance(name, str) or type(size) is not int or not 0 <= size <= LARGEST:
        abort(400)
    if not isinstance(kind, str) or not re.fullmatch(r"[a-z]+/[a-z0-9.+-]+", kind):
        abort(400)
    return re.sub(r"[^A-Za-z0-9._-]+", "_", name).lstrip(".")[-100:] or "file", size, kind


@app.get("/")
def front():
    return "POST /uploads with the name, size and type of your file.\n"


@app.post("/uploads")
def begin_upload():
    # Here you would ask who this is, and whether they may.
    name, size, kind = read_wish()
    # A key of our own: whatever the file is called, it replaces nothing.
    target = f"{UPLOADS}/{uuid.uuid4()}/{name}"
    signed = (target, f"--content-type={kind}")
    if size < LARGE:
        made = skylift("temp-url", *signed, "--method=PUT", f"--content-length={size}", "--expires=15m")
        return {name: made[name] for name in ("key", "expires", "method", "url", "headers")}
    made = skylift("ticket", "create", *signed, f"--file-size={size}", "--expires=12h")
    return {name: made[name] for name in ("key", "expires", "ticket")}
