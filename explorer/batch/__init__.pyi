from ._batch_files import feedback_files as feedback_files
from ._batch_files import score_files as score_files
from ._batch_summary import BatchSummary as BatchSummary
