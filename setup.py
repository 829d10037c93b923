"""What setup.cfg cannot say: an index page has the README without its pictures and its links into the checkout.

They are relative, and lead nowhere there.
"""

import re
from pathlib import Path

from setuptools import setup

text = Path(__file__).with_name("README.md").read_text(encoding="utf-8")
text = re.sub(r"^!\[[^\]]*\]\([^)]*\)\n\n", "", text, flags=re.MULTILINE)
setup(long_description=re.sub(r"\[([^\]]+)\]\((?!https://)[^)]*\)", r"\1", text))
