"""`multiprocessing.popen_spawn_posix`, which procession leaves as it is."""

import sys

import multiprocessing.popen_spawn_posix

sys.modules[__name__] = multiprocessing.popen_spawn_posix
