"""What members is told by its environment: what every service is, and nothing more."""

from services.members.domain.identities import Identities
from shared.runtime import ServiceSettings


class MembersSettings(ServiceSettings):
    """The settings of every service; the registry adds none."""

    @property
    def identities(self) -> Identities:
        """How values become hashes in this programme."""
        return Identities(self.hashing_key, self.country)
