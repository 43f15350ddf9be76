"""`multiprocessing.reduction`, which procession leaves as it is."""

import sys

import multiprocessing.reduction

sys.modules[__name__] = multiprocessing.reduction
