"""Sphinx's configuration of the site. docs/make_site.py writes the pages and calls Sphinx."""

from pathlib import Path

ROOT = Path(__file__).parents[2]

project = "Retention dynamics"
author = "The authors of this workflow"
release = (ROOT / "scripts/retention/VERSION").read_text(encoding="utf-8").strip()
language = "en"

extensions = ["myst_parser", "sphinx_copybutton"]
root_doc = "index"
exclude_patterns = ["files"]
myst_enable_extensions = ["deflist"]
myst_heading_anchors = 4
smartquotes = False  # names in quotes are as tables have them
highlight_language = "none"  # indented blocks are shell, YAML and Python, without saying which
python_maximum_signature_line_length = 88
toc_object_entries_show_parents = "hide"
add_module_names = False
suppress_warnings = [
    "ref.python"
]  # classes of one name in two modules: annotations say the name alone

html_context = {"default_mode": "auto"}
html_theme = "pydata_sphinx_theme"
html_title = f"Retention dynamics {release}"
html_static_path = ["look"]
html_css_files = ["look.css"]
html_show_search_summary = False  # would be fetched, which a browser refuses of files on a disk
html_show_sourcelink = False
html_copy_source = False
html_sidebars = {"index": []}
html_theme_options = {
    "logo": {"text": "Retention dynamics"},
    "header_links_before_dropdown": 6,
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "secondary_sidebar_items": {"**": ["page-toc"], "index": []},
    "article_header_start": ["breadcrumbs"],
    "footer_start": [],
    "footer_end": [],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
