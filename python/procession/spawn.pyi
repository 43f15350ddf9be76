from multiprocessing.spawn import *
from multiprocessing.spawn import __all__ as __all__
