"""`multiprocessing.popen_forkserver`, which procession leaves as it is."""

import sys

import multiprocessing.popen_forkserver

sys.modules[__name__] = multiprocessing.popen_forkserver
