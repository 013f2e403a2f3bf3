import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # `measure_cases` is shared by the files here
