from ._mlflow_tracker import MlflowTracker as MlflowTracker
