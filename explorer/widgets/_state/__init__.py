"""The one state object of the app, and what its traits may be."""

from explorer.widgets._state.choices import CODE_MEASURES as CODE_MEASURES
from explorer.widgets._state.choices import HEAD_SET_OVERRIDES as HEAD_SET_OVERRIDES
from explorer.widgets._state.choices import METHOD_THRESHOLDS as METHOD_THRESHOLDS
from explorer.widgets._state.choices import QUALITIES as QUALITIES
from explorer.widgets._state.choices import SETTINGS as SETTINGS
from explorer.widgets._state.choices import TRACE_MEASURES as TRACE_MEASURES
from explorer.widgets._state.choices import TRUTHS as TRUTHS
from explorer.widgets._state.choices import UNIT_KINDS as UNIT_KINDS
from explorer.widgets._state.choices import UPDATE_STRATEGIES as UPDATE_STRATEGIES
from explorer.widgets._state.explorer_state import ExplorerState as ExplorerState
