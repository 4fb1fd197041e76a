"""Words about people: owns names of requests and organisations, what a role is for, and the sentence after an act."""

from __future__ import annotations

from cloud_sync.server.console.labels import N_

# What an account of each public role is for, and where it is used.
USES = {
    "visitor": N_("In the app: earn points for low-carbon acts, see why each one counted, and spend them."),
    "driver": N_("In the app: apply for a permit, show its code at the gate, see what a visit emitted, earn points."),
    "organisation": N_("In the app: apply for permits for your vehicles, and hold vouchers."),
    "merchant": N_("Confirm acts of customers and take their codes and vouchers at the counter."),
}
REQUEST = {
    "copy": N_("A copy of the data"),
    "correction": N_("Correction"),
    "deletion": N_("Deletion"),
    "objection": N_("Objection to a decision"),
    "question": N_("Question"),
}
REQUEST_STATE = {
    "open": ("hold", "circle-pause", N_("Open")),
    "done": ("admit", "circle-check", N_("Settled")),
    "refused": ("refuse", "octagon-x", N_("Turned down")),
}
ORGANISATION = {"applicant": N_("Applicant"), "merchant": N_("Merchant")}
DONE = {
    "rule_written": N_("Written. It holds from its day on; what was decided before keeps its row."),
    "provider_linked": N_("Linked. You can sign in by the provider from now on."),
    "provider_unlinked": N_("The link is gone. Your password works as before."),
    "organisation_added": N_("Organisation added."),
    "organisation_changed": N_("Organisation changed."),
    "member_added": N_("Member added."),
    "member_removed": N_("Member removed. The account stays."),
    "request_noted": N_("Request noted. Answer it before its day."),
    "request_answered": N_("Answered. The person reads it in their account."),
    "request_asked": N_("Sent. The answer appears here."),
    "data_corrected": N_("Your data are corrected."),
    "consent_changed": N_("Noted, with the version and the time."),
    "signed_out_everywhere": N_("Signed out on every device."),
    "account_deleted": N_("The account is anonymous. Nothing leads back to you."),
    "person_anonymised": N_("The account is anonymous now."),
    "guardian_parted": N_("The accounts are parted."),
}
