"""What leaves a sweep: an HTML report with its figures, and its points as CSV and Parquet."""

from engine.report.sweeps.figures import write_sweep_figures
from engine.report.sweeps.page import write_sweep_report
from engine.report.sweeps.points import export_points
from engine.report.sweeps.summary import sweep_summary

__all__ = ["export_points", "sweep_summary", "write_sweep_figures", "write_sweep_report"]
