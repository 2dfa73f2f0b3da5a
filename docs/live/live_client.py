"""Shows what a model looks at in a file, line by line, each time the file is saved.

python live_client.py FILE [ADDRESS]        # ADDRESS: ws://127.0.0.1:8001/live
The token of the service, if it has one, is read from EXPLORER_TOKEN. Needs: pip install websockets
"""

import json
import os
import sys
import threading
import time
from pathlib import Path

from websockets.sync.client import connect


def send_changes(socket, path):
    """Send the text whenever it has changed; the service answers the newest alone."""
    serial, before = 0, None
    while True:
        code = path.read_text(encoding="utf-8")
        if code != before and code.strip():
            serial, before = serial + 1, code
            message = {"kind": "code", "serial": serial, "code": code}
            message |= {"want": ["feedback"], "unit_kind": "line", "threshold": 0.01}
            socket.send(json.dumps(message))
        time.sleep(0.1)


def show(answer):
    """Print a bar and a verdict for each line."""
    if answer["kind"] == "error":
        print(answer["problem"]["detail"], file=sys.stderr, flush=True)
        return
    facts = f"{len(answer['tokens'])} tokens, {answer['reused']} of them known"
    print(f"\n{answer['model']}: {facts}, {answer['latency_ms']:.0f} ms")
    largest = max((row["score"] or 0 for row in answer["feedback"]), default=0) or 1
    for row in answer["feedback"]:
        bar = "#" * round(20 * (row["score"] or 0) / largest)
        print(f"{row['unit']:>8} {bar:<20} {row['verdict']:<8} {row['text'].strip()}")
    sys.stdout.flush()


def main(path, address="ws://127.0.0.1:8001/live"):
    token = os.environ.get("EXPLORER_TOKEN")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    with connect(address, additional_headers=headers, max_size=None) as socket:
        threading.Thread(target=send_changes, args=(socket, Path(path)), daemon=True).start()
        for message in socket:
            show(json.loads(message))


if __name__ == "__main__":
    main(*sys.argv[1:])
