from ._report import threshold_report as threshold_report
