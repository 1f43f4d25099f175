"""What becomes of the same inputs: with another token, and where a paid job has nothing to hand out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from journals import WHY, accepted, claimed, new_job, sql

from nodes.core.errors import InvalidInput, PackError
from nodes.core.store.job import Asked, Claimed, Existing, Job, NewJob, OutcomeUnknown, PermissionNeeded
from nodes.core.store.journal import Journal

THEN, NOW = "the token of yesterday", "the token of today"


def failed_and_charged(journal: Journal, name: str = "a", request_id: str = "r1", **more: object) -> Job:
    return journal.mark_ended(accepted(journal, name, request_id, **more), "failed", WHY, 0.25)


def expired(journal: Journal) -> Job:
    job = journal.mark_finished(replace(accepted(journal), files=("https://a/1.png",)))
    journal.mark_delivered(job)
    return journal.mark_ended(job, "expired", WHY)


# Another token


def test_a_fingerprint_is_that_of_an_api_and_its_inputs(journal: Journal) -> None:
    one = journal.fingerprint("https://a/v1", {"prompt": "x"})
    assert one == journal.fingerprint("https://a/v1", {"prompt": "x"})
    assert (
        len({one, journal.fingerprint("https://b/v1", {"prompt": "x"}), journal.fingerprint("https://a/v1", {})})
        == 3
    )


def test_a_job_is_found_whatever_token_it_was_made_with(journal: Journal) -> None:
    job = accepted(journal, account=THEN)
    assert journal.claim(new_job(account=NOW)) == Existing(job)
    delivered = journal.mark_delivered(job)
    assert journal.claim(new_job(account=NOW)) == Existing(delivered)
    assert journal.mark_owned(job, NOW).account == NOW


def test_a_lost_answer_is_told_whatever_token_it_was_sent_with(journal: Journal) -> None:
    job = claimed(journal, account=THEN)
    journal.mark_submitting(job)
    journal.mark_lost(job)
    assert isinstance(journal.claim(new_job(account=NOW)), OutcomeUnknown)


def test_a_job_of_somebody_else_is_left_aside_and_stands_beside_ones_own(journal: Journal) -> None:
    theirs = accepted(journal, request_id="theirs", account=THEN)
    claim = journal.claim(new_job(account=NOW), asked=Asked(is_ours={theirs.id: False}))
    assert isinstance(claim, Claimed)
    journal.mark_submitting(claim.job)
    journal.mark_submitted(claim.job, "ours")
    assert [(job.state, job.account) for job in journal.recent()] == [("submitted", NOW), ("submitted", THEN)]
    for account, request_id in ((NOW, "ours"), (THEN, "theirs")):
        found = journal.claim(new_job(account=account))
        assert isinstance(found, Existing) and found.job.request_id == request_id, "one's own comes first"


def test_a_row_is_not_given_to_an_account_that_has_one(journal: Journal) -> None:
    theirs = accepted(journal, request_id="theirs", account=THEN)
    claim = journal.claim(new_job(account=NOW), asked=Asked(is_ours={theirs.id: False}))
    assert isinstance(claim, Claimed)
    assert journal.mark_owned(theirs, NOW).account == THEN


def test_rows_of_before_are_found_by_what_they_were_called_then(journal: Journal) -> None:
    job = accepted(journal, "a former fingerprint", account=THEN)
    other = accepted(journal, "of another account", "r2", account=NOW)
    formers = ("nobody's", "a former fingerprint", "of another account")
    same = new_job("the fingerprint of now", account=NOW, former_fingerprints=formers)
    found = journal.claim(same)
    assert isinstance(found, Existing) and found.job.id == other.id
    found = journal.claim(same, asked=Asked(is_ours={other.id: False}))
    assert found == Existing(replace(job, fingerprint="the fingerprint of now"))
    assert {row.name for row in journal.recent()} == {job.name, other.name}, "its kept files lie where they lay"


# Permission to pay again


def test_a_job_that_failed_and_was_charged_is_paid_again_only_with_a_permission(journal: Journal) -> None:
    job = failed_and_charged(journal)
    for _ in range(2):
        assert journal.claim(new_job()) == PermissionNeeded(job)
    assert journal.allow_retry("r1").id == job.id
    again = journal.claim(new_job())
    assert isinstance(again, Claimed)
    journal.mark_submitting(again.job)
    journal.mark_submitted(again.job, "r2")
    failed = journal.mark_ended(again.job, "failed", WHY, 0.25)
    assert journal.claim(new_job()) == PermissionNeeded(failed), "it was good for one job"


def test_a_permission_is_not_used_up_by_a_run_that_sent_nothing(journal: Journal) -> None:
    failed_and_charged(journal)
    journal.allow_retry("r1")
    for _ in range(2):
        claim = journal.claim(new_job())
        assert isinstance(claim, Claimed)
        journal.release(claim.job)


def test_a_permission_counts_for_its_own_inputs_alone(journal: Journal) -> None:
    failed_and_charged(journal)
    other = failed_and_charged(journal, "b", "r2")
    journal.allow_retry("r1")
    assert journal.claim(new_job("b")) == PermissionNeeded(other)


def test_it_may_be_given_by_the_id_of_an_older_try(journal: Journal) -> None:
    failed_and_charged(journal)
    journal.allow_retry("r1")
    newer = failed_and_charged(journal, request_id="r2")
    assert journal.claim(new_job()) == PermissionNeeded(newer)
    assert journal.allow_retry("r1").id == newer.id
    assert isinstance(journal.claim(new_job()), Claimed)


def test_a_delivered_job_whose_files_are_gone_is_looked_for_and_replaced_only_with_a_permission(
    journal: Journal,
) -> None:
    job = expired(journal)
    assert journal.claim(new_job()) == Existing(job), "a look is free"
    journal.allow_retry("r1")
    assert isinstance(journal.claim(new_job()), Claimed)


def test_files_that_are_there_after_all_make_it_a_delivered_job_again(journal: Journal) -> None:
    job = journal.mark_delivered(expired(journal))
    assert job.state == "delivered"
    assert journal.claim(new_job()) == Existing(job)


def test_a_job_that_is_gone_before_it_told_a_result_or_a_cost_is_submitted_anew(journal: Journal) -> None:
    journal.mark_ended(accepted(journal), "expired", WHY)
    assert isinstance(journal.claim(new_job()), Claimed)


def test_a_permission_is_for_the_job_that_was_submitted_where_it_was_also_collected(
    open_journal: Callable[[], Journal],
) -> None:
    """Found by a history of the simulation: the id of a job could not be recorded until it had been collected."""
    journal = open_journal()
    claim = journal.claim(new_job())
    assert isinstance(claim, Claimed)
    journal.mark_submitting(claim.job)
    collected = journal.adopt(NewJob("of the id", NOW, model_id=""), "r1")
    journal.mark_submitted(claim.job, "r1")
    for job in (collected, claim.job):
        journal.mark_ended(job, "failed", WHY, 0.25)
    found = journal.find("r1")
    assert found is not None and found.id == claim.job.id
    assert isinstance(journal.claim(new_job()), PermissionNeeded)
    journal.allow_retry("r1")
    assert isinstance(journal.claim(new_job()), Claimed)


@pytest.mark.parametrize("name", ["nobody's", "", "../x"])
def test_no_permission_is_given_for_what_is_not_recorded(journal: Journal, name: str) -> None:
    with pytest.raises(InvalidInput, match="no job with this request id"):
        journal.allow_retry(name)


def test_no_permission_is_given_where_none_is_needed(journal: Journal) -> None:
    job = accepted(journal)
    with pytest.raises(PackError, match="without a permission"):
        journal.allow_retry("r1")
    journal.mark_ended(job, "failed", WHY, 0.0)
    with pytest.raises(PackError, match="without a permission"):
        journal.allow_retry("r1")
    assert sql(journal, "SELECT sum(retry_allowed) FROM jobs") == [(0,)]


def test_a_permission_counts_for_the_account_that_gave_it(journal: Journal) -> None:
    """Found by a history of the simulation: two accounts had each paid for the same inputs in vain."""
    mine = failed_and_charged(journal, request_id="r1", account=NOW)
    theirs = journal.claim(new_job(account=THEN), asked=Asked(is_ours={mine.id: False}))
    assert isinstance(theirs, Claimed)
    journal.mark_submitted(theirs.job, "r2")
    journal.mark_ended(theirs.job, "failed", WHY, 0.25)
    journal.allow_retry("r2")
    claim = journal.claim(new_job(account=NOW))
    assert isinstance(claim, PermissionNeeded) and claim.job.request_id == "r2", "whose it is, is asked first"
    claim_of_another = journal.claim(new_job(account=NOW), asked=Asked(is_ours={claim.job.id: False}))
    assert isinstance(claim_of_another, PermissionNeeded) and claim_of_another.job.request_id == "r1"
    assert isinstance(journal.claim(new_job(account=NOW), asked=Asked(is_ours={claim.job.id: True})), Claimed)


@pytest.mark.parametrize("lost", [True, False])
def test_what_another_account_tried_in_vain_is_no_permission(journal: Journal, lost: bool) -> None:
    """Found by a history of the simulation: the newest job of the same inputs was somebody else's."""
    mine = failed_and_charged(journal, request_id="r1", account=NOW)
    theirs = journal.claim(new_job(account=THEN), asked=Asked(is_ours={mine.id: False}))
    assert isinstance(theirs, Claimed)
    if lost:
        journal.mark_submitting(theirs.job)
        journal.mark_lost(theirs.job)
        journal.mark_reported(theirs.job)
    else:
        journal.mark_submitted(theirs.job, "r2")
        journal.mark_ended(theirs.job, "failed", WHY, 0.0)
    claim = journal.claim(new_job(account=NOW))
    assert isinstance(claim, PermissionNeeded) and claim.job.request_id == "r1"
