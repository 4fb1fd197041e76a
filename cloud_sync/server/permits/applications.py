"""What people do with applications: owns each step as one transaction with its history line, audit and effects.

Which step is possible, and for whom, is `control.permits.transitions`' alone. An approval goes out to the gates only
when the seconds are over in which it can be taken back (`publishing`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from cloud_sync.server import store
from cloud_sync.server.auth import CurrentUser
from cloud_sync.server.permits import access, checks, documents, history, publishing, queries, storing
from cloud_sync.server.permits.records import ApplicationRecord
from cloud_sync.server.permits.storing import Held
from cloud_sync.server.problems import Problem
from cloud_sync.server.roles import Role
from cloud_sync.server.services import Services
from control.domain.plates import normalise
from control.permits import rules as keys
from control.permits.application import Application, Form, Paper, Remark, Status, copy_of, new_application
from control.permits.rules import PermitRules
from control.permits.transitions import Action, Refused, Step, StepRefusal, take
from control.permits.words import STEP_REFUSALS

CHANNEL = "island_permits"
DRAFTS_MAX = 100  # open drafts of one applicant: nobody needs more, and each holds a number


@dataclass(frozen=True, slots=True)
class Doing:
    """Who does something, from where, and to which version of what they see."""

    user: CurrentUser
    remote: str = ""
    version: int | None = None

    @property
    def account(self) -> store.Actor:
        """As the audit trail names them."""
        return store.Actor.of(self.user, self.remote)


MakeStep = Callable[[Any, Held], Awaitable[Step]]


async def _shown(given: Services, application_id: str) -> ApplicationRecord:
    found = await queries.application(given.pool, application_id, now=given.clock(), zone=given.config.zone)
    assert found is not None
    return found


# ---------------------------------------------------------------- filing


async def create(
    given: Services, user: CurrentUser, form: Form, *, applicant_id: str = "", remote: str = ""
) -> ApplicationRecord:
    """A new draft of this person; of somebody else (or of nobody who has an account) when the office files it."""
    async with given.change() as connection:
        application_id = await create_in(connection, given, Doing(user, remote), form, applicant_id=applicant_id)
    return await _shown(given, application_id)


async def create_in(connection: Any, given: Services, doing: Doing, form: Form, *, applicant_id: str = "") -> str:
    """As `create`, inside the caller's transaction; the new number."""
    by = access.filer(doing.user)
    if doing.user.role.is_public:
        applicant_id = access.applicant_id_of(doing.user)
    elif applicant_id:
        await _check_applicant(connection, applicant_id)
    await _check_enabled(connection, applicant_id)
    await _check_drafts(connection, applicant_id)
    form = replace(form, papers=await documents.papers(connection, doing.user, form.papers))
    application = new_application(
        application_id=await _number(connection, given),
        applicant_id=applicant_id,
        form=_tidied(form),
        by=by,
        at=given.clock(),
    )
    await _insert(connection, given, application, doing)
    return application.application_id


async def copy(given: Services, user: CurrentUser, application_id: str, *, remote: str = "") -> ApplicationRecord:
    """A new draft with a past application's form; window and papers are left out."""
    by, doing = access.filer(user), Doing(user, remote)
    async with given.change() as connection:
        held = await _held(connection, user, application_id, lock=False)
        await _check_enabled(connection, held.application.applicant_id)
        await _check_drafts(connection, held.application.applicant_id)
        made = copy_of(held.application, application_id=await _number(connection, given), by=by, at=given.clock())
        await _insert(connection, given, made, doing)
    return await _shown(given, made.application_id)


async def _number(connection: Any, given: Services) -> str:
    return await storing.new_number(connection, given.clock().astimezone(given.config.zone).year)


async def _insert(connection: Any, given: Services, application: Application, doing: Doing) -> None:
    await storing.insert(connection, given, application, account=doing.account)
    await _note_papers(connection, given, application)


async def _check_drafts(connection: Any, applicant_id: str) -> None:
    if not applicant_id:
        return
    drafts = await connection.fetchval(
        "SELECT count(*) FROM applications WHERE applicant_id = $1 AND status = 'draft' AND redacted_at IS NULL",
        applicant_id,
    )
    if drafts >= DRAFTS_MAX:
        raise Problem("invalid", detail=f"there are {drafts} drafts already; finish one of them")


async def _check_enabled(connection: Any, applicant_id: str) -> None:
    """An organisation that is switched off files nothing, nor does anybody in its name."""
    if await connection.fetchval("SELECT 1 FROM organisations WHERE org_id = $1 AND NOT enabled", applicant_id):
        raise Problem("organisation_off")


async def _check_applicant(connection: Any, applicant_id: str) -> None:
    """Whose application it becomes has to be an account that applies, or an organisation of applicants."""
    try:
        person = UUID(applicant_id)
    except ValueError:
        person = None
    found = await connection.fetchval(
        "SELECT EXISTS (SELECT 1 FROM users WHERE user_id = $1 AND enabled AND role = ANY($3::text[]))"
        " OR EXISTS (SELECT 1 FROM organisations WHERE org_id = $2 AND enabled AND kind = 'applicant')",
        person,
        applicant_id,
        [Role.DRIVER.value, Role.ORGANISATION.value],
    )
    if not found:
        raise Problem("invalid", detail="applicant_id names no account that can apply")


async def edit(
    given: Services, user: CurrentUser, application_id: str, form: Form, *, version: int, remote: str = ""
) -> ApplicationRecord:
    """Another form for a draft or a returned application. Raises Problem `changed_meanwhile` for a stale version."""

    async def make(connection: Any, held: Held) -> Step:
        await _check_enabled(connection, held.application.applicant_id)
        papers = await documents.papers(connection, user, form.papers, already=held.application.form.papers)
        changed = _tidied(replace(form, papers=papers))
        return Step(action=Action.EDIT, by=access.filer(user), at=given.clock(), form=changed)

    return await _step(given, Doing(user, remote, version), application_id, make)


async def submit(
    given: Services, user: CurrentUser, application_id: str, *, version: int | None = None, remote: str = ""
) -> ApplicationRecord:
    """Hands it in. Raises Problem `form_has_problems` with each of them."""
    await checks.count(given, user)

    async def make(connection: Any, held: Held) -> Step:
        await _check_enabled(connection, held.application.applicant_id)
        found = await checks.problems(connection, given, held.application, viewer=user)
        if found:
            raise Problem("form_has_problems", problems=checks.problem_list(found))
        return Step(action=Action.SUBMIT, by=access.filer(user), at=given.clock())

    return await _step(given, Doing(user, remote, version), application_id, make)


async def appeal(
    given: Services,
    user: CurrentUser,
    application_id: str,
    *,
    reason: str,
    evidence: Sequence[str] = (),
    version: int | None = None,
    remote: str = "",
) -> ApplicationRecord:
    """Against a refusal or a revocation, with papers that this person has uploaded."""

    async def make(connection: Any, held: Held) -> Step:
        wanted = [Paper(sha256, "other", "", 0) for sha256 in dict.fromkeys(evidence)]
        papers = await documents.papers(connection, user, wanted, already=held.application.form.papers)
        by = access.filer(user)
        return Step(action=Action.APPEAL, by=by, at=given.clock(), reason=reason.strip(), evidence=papers)

    return await _step(given, Doing(user, remote, version), application_id, make)


# ---------------------------------------------------------------- judging


async def _judged(given: Services, doing: Doing, application_id: str, step: Step) -> ApplicationRecord:
    """Takes a step that needs nothing of the application, at the time when the application is held."""

    async def make(_: Any, __: Held) -> Step:
        return replace(step, at=given.clock())

    return await _step(given, doing, application_id, make)


async def send_back(
    given: Services,
    user: CurrentUser,
    application_id: str,
    *,
    remarks: Sequence[Remark],
    reason: str = "",
    version: int | None = None,
    remote: str = "",
) -> ApplicationRecord:
    """Returns it with what has to be changed, field by field."""
    by, kept = access.judge(user), tuple(one for one in remarks if one.text.strip())
    step = Step(action=Action.RETURN, by=by, at=given.clock(), remarks=kept, reason=reason.strip())
    return await _judged(given, Doing(user, remote, version), application_id, step)


async def approve(
    given: Services,
    user: CurrentUser,
    application_id: str,
    *,
    reason: str = "",
    version: int | None = None,
    remote: str = "",
) -> ApplicationRecord:
    """The first or the second approval; the last one goes out when its seconds for taking it back are over."""
    step = Step(action=Action.APPROVE, by=access.judge(user), at=given.clock(), reason=reason.strip())
    return await _judged(given, Doing(user, remote, version), application_id, step)


async def undo_approval(
    given: Services, user: CurrentUser, application_id: str, *, version: int | None = None, remote: str = ""
) -> ApplicationRecord:
    """Takes back one's own approval while it has not gone out."""
    by = access.judge(user)

    async def make(_: Any, held: Held) -> Step:
        if held.published_at is not None:
            raise _refused(Refused(StepRefusal.UNDO_TOO_LATE))
        return Step(action=Action.UNDO_APPROVAL, by=by, at=given.clock())

    return await _step(given, Doing(user, remote, version), application_id, make)


async def refuse(
    given: Services,
    user: CurrentUser,
    application_id: str,
    *,
    reason: str,
    version: int | None = None,
    remote: str = "",
) -> ApplicationRecord:
    """Refuses it with a reason."""
    step = Step(action=Action.REFUSE, by=access.judge(user), at=given.clock(), reason=reason.strip())
    return await _judged(given, Doing(user, remote, version), application_id, step)


async def decide_appeal(
    given: Services,
    user: CurrentUser,
    application_id: str,
    *,
    granted: bool,
    reason: str,
    version: int | None = None,
    remote: str = "",
) -> ApplicationRecord:
    """Grants an appeal, which gives the permit, or rejects it; never by who decided first."""
    action = Action.GRANT_APPEAL if granted else Action.REJECT_APPEAL
    step = Step(action=action, by=access.judge(user), at=given.clock(), reason=reason.strip())
    return await _judged(given, Doing(user, remote, version), application_id, step)


async def revoke(
    given: Services,
    user: CurrentUser,
    application_id: str,
    *,
    reason: str,
    version: int | None = None,
    remote: str = "",
) -> ApplicationRecord:
    """Takes the permit back; the gates learn of it before everything else."""
    step = Step(action=Action.REVOKE, by=access.revoker(user), at=given.clock(), reason=reason.strip())
    return await _judged(given, Doing(user, remote, version), application_id, step)


async def revoke_permit(given: Services, user: CurrentUser, permit_id: str, *, why: str, remote: str = "") -> None:
    """Takes a permit back, with or without an application behind it."""
    access.revoker(user)
    known = await given.pool.fetchval("SELECT 1 FROM applications WHERE application_id = $1", permit_id)
    if known:
        await revoke(given, user, permit_id, reason=why, remote=remote)
    else:
        await store.revoke_permit(given, store.Actor.of(user, remote), permit_id, why=why)


async def assign(
    given: Services,
    user: CurrentUser,
    application_id: str,
    applicant_id: str,
    *,
    version: int | None = None,
    remote: str = "",
) -> ApplicationRecord:
    """The office says whose application it is: an emergency entry's, or one that it filed for somebody."""
    by = access.office(user)

    async def make(connection: Any, _: Held) -> Step:
        await _check_applicant(connection, applicant_id)
        return Step(action=Action.ASSIGN, by=by, at=given.clock(), applicant_id=applicant_id)

    return await _step(given, Doing(user, remote, version), application_id, make)


# ---------------------------------------------------------------- one step


async def _held(connection: Any, user: CurrentUser, application_id: str, *, lock: bool = True) -> Held:
    """The application, locked; what is somebody else's is not there for the public. Raises Problem `not_found`."""
    found = await storing.held(connection, application_id, lock=lock)
    if found is None or not access.may_read(user, found.application.applicant_id):
        raise Problem("not_found")
    if found.redacted:
        raise Problem("step_refused", why="redacted")
    return found


async def _step(given: Services, doing: Doing, application_id: str, make: MakeStep) -> ApplicationRecord:
    async with given.change() as connection:
        held = await _held(connection, doing.user, application_id)
        if doing.version is not None and doing.version != held.version:
            raise await _stale(connection, held, doing.version)
        step = await make(connection, held)
        rules = (await storing.book(connection)).of(held.application, given)
        moved = take(held.application, step, rules)
        if isinstance(moved, Refused):
            raise _refused(moved)
        await storing.save(
            connection,
            given,
            held,
            moved,
            account=doing.account,
            details=history.details_of(step),
            publish_at=_publish_at(moved, step, rules),
        )
        await _effects(connection, given, moved, doing)
    return await _shown(given, application_id)


def _publish_at(moved: Application, step: Step, rules: PermitRules) -> Any:
    if moved.status is not Status.APPROVED:
        return None
    return step.at + rules.term(keys.APPROVAL_UNDO)


async def _effects(connection: Any, given: Services, moved: Application, doing: Doing) -> None:
    line = moved.history[-1]
    await _note_papers(connection, given, moved)
    if line.after is Status.REVOKED and line.action == Action.REVOKE:
        why = line.reason[: store.TEXT_CHARS_MAX]
        await publishing.take_back(connection, given, moved.application_id, account=doing.account, why=why)
    await connection.execute("SELECT pg_notify($1, $2)", CHANNEL, moved.application_id)


async def _note_papers(connection: Any, given: Services, application: Application) -> None:
    evidence = () if application.appeal is None else application.appeal.evidence
    hashes = [paper.sha256 for paper in (*application.form.papers, *evidence)]
    await documents.note_uses(
        connection, hashes, kind="application", subject_id=application.application_id, at=given.clock()
    )


def _refused(found: Refused) -> Problem:
    chinese, english = STEP_REFUSALS[found.why]
    return Problem("step_refused", detail=english, why=found.why.value, why_zh=chinese, why_en=english)


async def _stale(connection: Any, held: Held, version: int) -> Problem:
    """What was done since the version that the person saw."""
    rows = await connection.fetch(
        "SELECT action, at, fields FROM application_changes WHERE application_id = $1 AND number > $2 ORDER BY number",
        held.application.application_id,
        version,
    )
    fields = {one["field"] for row in rows for one in queries.as_fields(row["fields"])}
    return Problem(
        "changed_meanwhile",
        version=held.version,
        application_status=held.application.status.value,
        actions=[row["action"] for row in rows],
        fields=sorted(fields),
    )


def _tidied(form: Form) -> Form:
    """Without spaces around words, and the plate as it is compared."""
    return replace(
        form,
        plate=normalise(form.plate),
        emission_class=form.emission_class.strip(),
        purpose_text=form.purpose_text.strip(),
        route=form.route.strip(),
        holder=form.holder.strip(),
        gates=tuple(gate.strip() for gate in form.gates),
    )
