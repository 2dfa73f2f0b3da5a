from ._analysis_results import AttentionAnalysis as AttentionAnalysis
from ._analysis_results import CodeAnalysis as CodeAnalysis
from ._analysis_results import FailedAnalysis as FailedAnalysis
from ._code_analysis_agent import CodeAnalysisAgent as CodeAnalysisAgent
