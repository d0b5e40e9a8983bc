"""Device side: how long, with how much memory, engines take to run a .tflite file."""

from mobile_bnn.profiling.engines import ENGINES, Engine, Session
from mobile_bnn.profiling.local import Job, Progress, Refused, jobs_for, profile
from mobile_bnn.profiling.machine import local_machine

__all__ = [
    "ENGINES",
    "Engine",
    "Job",
    "Progress",
    "Refused",
    "Session",
    "jobs_for",
    "local_machine",
    "profile",
]
