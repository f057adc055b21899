"""What a page holds: its elements, and the data that it gives its script."""

import json
from html.parser import HTMLParser


class Elements(HTMLParser):
    """The elements of a page with their attributes, and the texts of scripts."""

    def __init__(self, page):
        super().__init__()
        self.found, self.scripts = [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))

    def handle_data(self, text):
        if self.found and self.found[-1][0] == "script" and text.strip():
            self.scripts.append(text)


def data_of(page):
    return json.loads(Elements(page).scripts[0])
