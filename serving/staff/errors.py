"""What can be wrong with a change of accounts."""

from serving.refused import Refused

__all__ = ["Refused"]
