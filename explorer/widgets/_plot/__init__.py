"""The plot widget: a plotly figure that is updated by small messages."""
