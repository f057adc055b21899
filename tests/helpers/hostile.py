"""Names that would be code, marks or a turned line somewhere, and a reader of what a page shows of them."""

from html.parser import HTMLParser

NAMES = [
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(2)</script>",
    "\"double\" 'single' `back`",
    r"C:\new\table \_",
    "50 % & $5^2$ #1 ~x~ {y} _z_",
    "a|b*c*[d](javascript:alert(3))",
    "![i](x) &lt;b&gt;, &#60;, <!-- c -->",
    "بطة 日本 é ß",
    "x" * 200,
    "[options] -- --- **",
]
TURNED = ("evil\u202egnp.exe", r"evil\u202egnp.exe")  # as it is, and as it is to be shown


class Page(HTMLParser):
    """The tags of a page, and the text that a reader sees."""

    def __init__(self, html: str):
        super().__init__()
        self.tags: set[str] = set()
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.tags.add(tag)

    def handle_comment(self, data: str) -> None:
        self.tags.add("comment")

    def handle_data(self, data: str) -> None:
        self.text += data
