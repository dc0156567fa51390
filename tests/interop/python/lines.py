"""Lines of JSON on standard output, from several threads, each whole: `print` writes a line and its end one after the other."""

import json
import sys
import threading

_ONE_AT_A_TIME = threading.Lock()


def tell(what):
    with _ONE_AT_A_TIME:
        sys.stdout.write(json.dumps(what) + "\n")
        sys.stdout.flush()
