"""The tests of `multiprocessing` for the group and the start method of this run, as unittest wants them: in a module.

CPython has one such module for each pair; builds without them are common, and children have to import it too.
"""

import json
import os

from test._test_multiprocessing import install_tests_in_module_dict

_settings = json.loads(os.environ["PROCESSION_CONFORMANCE"])
_group = _settings["group"]
_selection = {"exclude_types": True} if _group == "misc" else {"only_type": _group}

install_tests_in_module_dict(globals(), _settings["start"], **_selection)
