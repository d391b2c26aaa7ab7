"""The Plotly bundle that the page carries: npm `plotly.js-basic-dist-min`, MIT licence."""

PLOTLY_VERSION = "4.1.1"
PLOTLY_FILE = "vendor/plotly-basic.min.js"
PLOTLY_SHA256 = "99784e3abfb07b142a15e521a439e6d9addceadb3f79553fd24c72774f0649ba"
