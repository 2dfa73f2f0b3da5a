from ._explorer import Explorer as Explorer
from ._plot.plot import Plot as Plot
