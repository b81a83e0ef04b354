"""The HTTP service: events in, assessments with reasons and actions out."""

import prometheus_client as prometheus_client  # before Feast, which would have it keep its values in files
