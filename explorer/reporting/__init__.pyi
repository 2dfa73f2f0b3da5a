from ._analysis.report_options import ReportOptions as ReportOptions
from ._report import threshold_report as threshold_report
