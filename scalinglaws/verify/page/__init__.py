"""The HTML report: templates, layout and figures."""
