"""How many sessions the laws are tried on: few at every run, thousands in ``make test-long``."""

from hypothesis import HealthCheck, settings

settings.register_profile("ci", max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ci")
