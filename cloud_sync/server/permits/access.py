"""Who may see and do what with applications: owns turning the signed-in person into an actor, and whose is whose.

Staff see all of them, a person sees their own, a member of an organisation sees the organisation's. What is somebody
else's is not there at all for the public.
"""

from __future__ import annotations

from cloud_sync.server.auth import CurrentUser
from cloud_sync.server.problems import Problem
from cloud_sync.server.roles import Can
from cloud_sync.server.roles import Role as Account
from control.permits.application import Actor, Role


def owners_of(user: CurrentUser) -> tuple[str, ...]:
    """As whom this person owns applications, vehicles and visits: nobody for staff."""
    if not user.role.is_public:
        return ()
    return (user.user_id, user.org_id) if _member(user) and user.org_id else (user.user_id,)


def applicant_id_of(user: CurrentUser) -> str:
    """As whom this person applies: a member applies for the organisation."""
    return user.org_id if _member(user) and user.org_id else user.user_id


def _member(user: CurrentUser) -> bool:
    return user.role is Account.ORGANISATION


def may_read(user: CurrentUser, owner_id: str) -> bool:
    """Whether this person may see what belongs to an owner."""
    return user.may(Can.READ_APPLICATIONS) or (bool(owner_id) and owner_id in owners_of(user))


def filer(user: CurrentUser) -> Actor:
    """As whom this person fills in and hands in; the office does it for others. Raises Problem `forbidden`."""
    if user.role is Account.DRIVER:
        return Actor(user.user_id, Role.DRIVER)
    if _member(user):
        return Actor(user.user_id, Role.ORGANISATION, user.org_id or "")
    return office(user)


def office(user: CurrentUser) -> Actor:
    """As the office. Raises Problem `forbidden`."""
    if not user.may(Can.REVIEW):
        raise Problem("forbidden")
    return Actor(user.user_id, Role.OFFICE)


def judge(user: CurrentUser) -> Actor:
    """As who reviews or approves. Raises Problem `forbidden`."""
    if user.may(Can.APPROVE):
        return Actor(user.user_id, Role.APPROVER, user.org_id or "")
    if user.may(Can.REVIEW):
        return Actor(user.user_id, Role.REVIEWER, user.org_id or "")
    raise Problem("forbidden")


def revoker(user: CurrentUser) -> Actor:
    """As who takes a permit back. Raises Problem `forbidden`."""
    return Actor(user.user_id, Role.APPROVER) if user.may(Can.APPROVE) else office(user)
