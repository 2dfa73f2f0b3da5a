"""The app: one state object, panels that observe it, and the `Explorer` that holds them."""
