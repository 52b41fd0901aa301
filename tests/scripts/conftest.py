import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "scripts"))  # as `python scripts/soak.py` does
