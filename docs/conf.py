"""Sphinx's settings for the site."""

project = "handmade"
copyright = "The handmade authors"
extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = "handmade"
html_static_path = ["style"]
html_css_files = ["handmade.css"]
html_show_sourcelink = False
html_show_sphinx = False
pygments_style = "friendly"
python_display_short_literal_types = True
python_maximum_signature_line_length = 88
add_module_names = False
