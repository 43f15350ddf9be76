"""`multiprocessing.popen_fork`, which procession leaves as it is."""

import sys

import multiprocessing.popen_fork

sys.modules[__name__] = multiprocessing.popen_fork
