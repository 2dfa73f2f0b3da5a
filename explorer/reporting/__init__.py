"""What the labels say of one way to score, for the thresholds tab and as a report.

Importing this package imports neither plotly nor pandas nor scikit-learn: each name is loaded when
it is used.
"""

from __future__ import annotations
