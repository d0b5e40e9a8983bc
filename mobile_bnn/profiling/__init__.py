"""Device side: how long, with how much memory, engines take to run a .tflite file on a target."""

from mobile_bnn.profiling.engines import ENGINES, Engine, Session
from mobile_bnn.profiling.jobs import Job, jobs_for
from mobile_bnn.profiling.machine import local_machine
from mobile_bnn.profiling.measuring import Progress, Refused, profile
from mobile_bnn.profiling.planning import ROUNDS
from mobile_bnn.profiling.targets import Target, TargetLostError, connect

__all__ = [
    "ENGINES",
    "ROUNDS",
    "Engine",
    "Job",
    "Progress",
    "Refused",
    "Session",
    "Target",
    "TargetLostError",
    "connect",
    "jobs_for",
    "local_machine",
    "profile",
]
