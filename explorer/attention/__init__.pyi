from ._attention_map import AttentionMap as AttentionMap
from ._dense_attention import DenseAttention as DenseAttention
from ._received import ReceivedFromOthers as ReceivedFromOthers
from ._recorder import RecordedAttention as RecordedAttention
from ._recorder import record_attention as record_attention
from ._recorder import record_units as record_units
from ._rollout import rollout as rollout
from ._unit_attention import UnitAttention as UnitAttention
