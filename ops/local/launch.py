"""Becomes another program that ends when its parent does: `python launch.py PARENT_PID PROGRAM ARGUMENT...`.

A stack that is killed outright cannot end its processes any more. Where the system can do that for it (Linux), it
shall; elsewhere they stay, and the next start names the ports that they hold. This file imports little: it runs
before every process of a stack.
"""

import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Arrange for the end, and become the program."""
    parent, program = int(sys.argv[1]), sys.argv[2]
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # It died before it was heeded.
            sys.exit(1)
    os.execv(program, sys.argv[2:])


if __name__ == "__main__":
    main()
