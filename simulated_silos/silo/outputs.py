"""What a silo gives out: outputs that are unique to a service, and characteristics that only one service can hold."""

from __future__ import annotations

from simulated_silos.profiles import Profile
from simulated_silos.silo.model import Call, Outputs, Refusal, Service, Verb


class Values:
    """The values given out by one silo. `count` is how far its patterns have counted: no value is drawn twice."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._holder: dict[tuple[str, str], str] = {}
        self.count = 0

    def taken(self, call: Call) -> Refusal | None:
        """The refusal of a call that asks for what another service holds."""
        if call.verb is Verb.COMPENSATE:
            return None
        for name in self._profile.operation(call.operation).exclusive:
            wanted = _requested(call, name)
            holder = self._holder.get((name, wanted)) if wanted else None
            if holder not in (None, call.id):
                return Refusal(status=409, code="resource_in_use", message=f"{name} {wanted} is held by {holder}")
        return None

    def outputs(self, call: Call, held: Outputs) -> tuple[Outputs, int]:
        """The outputs of a service as a call asks for it, and the new count. What it has (`held`) it keeps."""
        operation, count, outputs = self._profile.operation(call.operation), self.count, Outputs()
        for name, pattern in operation.outputs.items():
            requested = _requested(call, name) if name in operation.exclusive else None
            if requested:
                outputs[name] = requested
            elif name in held:
                outputs[name] = held[name]
            else:
                count += 1
                while (name, pattern.format(n=count)) in self._holder:
                    count += 1
                outputs[name] = pattern.format(n=count)
        return outputs, count

    def pass_on(self, before: Service | None, after: Service | None) -> None:
        """Take back what a service held and no longer holds, and note what it holds now."""
        if before is not None:
            for claim in self._claims(before):
                if self._holder.get(claim) == before.id:
                    del self._holder[claim]
        if after is not None:
            self._holder.update(dict.fromkeys(self._claims(after), after.id))

    def _claims(self, service: Service) -> list[tuple[str, str]]:
        exclusive = self._profile.operation(service.operation).exclusive
        sources = (service.characteristics, service.outputs)
        values = ((name, source.get(name)) for name in exclusive for source in sources)
        return [(name, str(value)) for name, value in values if value not in (None, "")]


def _requested(call: Call, name: str) -> str | None:
    value = call.inputs.get(name)
    return None if value in (None, "") else str(value)
