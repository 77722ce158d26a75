"""The explorer: laws and solvers under one's fingers, in a browser on one's own machine. It holds no science.

A panel is a description of what is set and what is drawn, with a pure function between the two (`panel`, `controls`, `answers`,
`panels`); one view shows any of them, live (`server`) or as a file (`snapshot`). Bokeh comes with the extra ``explore``, and only
`server`, `view` and `snapshot` import it.
"""
