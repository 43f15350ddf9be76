"""`multiprocessing.resource_sharer`, which procession leaves as it is."""

import sys

import multiprocessing.resource_sharer

sys.modules[__name__] = multiprocessing.resource_sharer
