"""Pictures that do not come to an end, for the drawing process: a module that needs no Django to be loaded there."""

import os
import time


def hang(content: bytes) -> bytes:
    time.sleep(60)
    return content


def crash(content: bytes) -> bytes:
    os._exit(1)
