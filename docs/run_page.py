"""Run the Python of a page from top to bottom, and write what each block prints below it.

    python docs/run_page.py notebook.md

tests/docs/test_notebook_page.py fails where a page was not run after a change.
"""

import io
import re
import sys
from contextlib import redirect_stdout
from pathlib import Path

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS.parent / "scripts"))

# A block of Python, and what it printed when the page was last run.
BLOCK = re.compile(r"^```python\n(.*?)^```$(\n\n```text\n.*?^```$)?", re.MULTILINE | re.DOTALL)


def run_page(text: str) -> str:
    """Return a page whose blocks are each followed by what they print; one namespace for all."""
    names: dict[str, object] = {}

    def with_output(block: re.Match) -> str:
        printed = io.StringIO()
        with redirect_stdout(printed):
            exec(block[1], names)
        output = printed.getvalue()
        return f"```python\n{block[1]}```" + (f"\n\n```text\n{output}```" if output else "")

    return BLOCK.sub(with_output, text)


def main() -> None:
    """Run the pages that the command line names."""
    for name in sys.argv[1:]:
        page = DOCS / name
        page.write_text(run_page(page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
