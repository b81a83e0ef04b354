"""All tables of the service, for what must know every one of them."""

from __future__ import annotations

import serving.audit.tables
import serving.cases.tables
import serving.disputes.tables
import serving.hooks.tables
import serving.notices.tables
import serving.policy.tables
import serving.privacy.tables
import serving.restrictions.tables
import serving.shops.tables
import serving.staff.tables  # noqa: F401 - each registers its tables
from serving.tables import metadata

__all__ = ["metadata"]
