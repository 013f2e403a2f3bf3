import importlib.util
import sys
from pathlib import Path

spec = importlib.util.spec_from_file_location("features_small", Path(__file__).with_name("small.py"))
assert spec is not None
assert spec.loader is not None
module = importlib.util.module_from_spec(spec)
sys.modules["features_small"] = module
spec.loader.exec_module(module)
