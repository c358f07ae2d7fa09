"""Whatever an event holds, intake does not crash, nor ask for another session."""

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import fakes, inputs, models, pipeline
from worker import model


class _Asked(fakes.Provider):
    """Approves whatever it is asked for, and keeps how that was spelt."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[str, str]] = []

    async def fetch(
        self,
        session: model.SessionKey,
        spelling: str,
        *,
        fresh_since: int | None = None,
    ) -> model.ProviderResponse:
        """Keep the call."""
        del fresh_since
        self.calls.append((session.session_id, spelling))
        return model.ProviderResponse(
            document=inputs.approved(), observed_at=inputs.START
        )


_SPELLING = st.sampled_from(["TX-1", "tx-1", "TX-2", "TX-1/../TX-2", "TX-1?x=TX-2"])


_EVENT = st.builds(
    lambda event, **changes: event._replace(**changes),
    models.events(),
    source=st.sampled_from([inputs.KEY.source, "elsewhere"]),
    provider=st.sampled_from(["idnow", "idnow", "biometric"]),
    session_id=st.sampled_from(["tx-1", "tx-2", "TX-1"]),
    provider_session_id=_SPELLING,
)


@settings(max_examples=25)
@given(st.lists(_EVENT, max_size=4))
def test_no_event_leads_to_a_call_for_another_spelling(
    events: list[model.Event],
) -> None:
    """Whatever the fields: nothing crashes, a good neighbour is decided."""

    async def scenario() -> None:
        provider = _Asked()
        async with pipeline.Rig(provider=provider) as rig:
            await rig.take(*events, pipeline.event(7))
            await rig.gathered()
            assert not rig.running.done()
            assert rig.ledger.outcomes(pipeline.key(7)) == ["approved"]
            assert all(one == other.lower() for one, other in provider.calls)
            assert rig.ledger.position is not None
            assert rig.ledger.position.next_offset == len(events) + 1

    asyncio.run(scenario())
