"""The page of a flame graph: scripts, style and template, put together by flamegraph.html_page."""
