from . import errors as errors
from .analysis import analyze_code_attention as analyze_code_attention
from .analysis import get_attention as get_attention
from .analysis import plot_attention as plot_attention
from .attention import AttentionMap as AttentionMap
from .attention import DenseAttention as DenseAttention
from .attention import record_attention as record_attention
from .feedback import FeedbackPolicy as FeedbackPolicy
from .feedback import feedback_table as feedback_table
from .models import available_models as available_models
from .models import load_model as load_model
from .rag import FeedbackExtractor as FeedbackExtractor
from .rag import WeightUpdater as WeightUpdater
from .rag import score_traces as score_traces
from .reporting import threshold_report as threshold_report
from .traces import load_traces as load_traces
from .traces import save_traces as save_traces
from .widgets import Explorer as Explorer

__version__: str
