"""Device side: the operator table of a .tflite file, and how long, with how much memory, engines take to run it."""

from mobile_bnn.profiling.engines import ENGINES, Engine, Session
from mobile_bnn.profiling.local import Job, Progress, Refused, jobs_for, profile
from mobile_bnn.profiling.machine import local_machine
from mobile_bnn.profiling.operators import operator_table

__all__ = [
    "ENGINES",
    "Engine",
    "Job",
    "Progress",
    "Refused",
    "Session",
    "jobs_for",
    "local_machine",
    "operator_table",
    "profile",
]
