"""Names of codes as people read them: owns the word for each kind, colour, outcome, role, device and action.

`N_` marks a word for the catalogue; `label` looks it up in the reader's language.
"""

from __future__ import annotations

from cloud_sync.server.console.words import Words


def N_(message: str) -> str:
    """Marks a message for extraction and returns it as it is."""
    return message


OUTCOME = {
    "admit": N_("Admitted"),
    "admit_under_permit": N_("Under permit"),
    "hold": N_("Held"),
    "refuse": N_("Refused"),
}
PLATE_KIND = {
    "small": N_("Small car"),
    "large": N_("Large vehicle"),
    "trailer": N_("Trailer"),
    "nev_small": N_("Small new-energy"),
    "nev_large": N_("Large new-energy"),
    "police": N_("Police"),
    "coach": N_("Driving school"),
    "hong_kong": N_("Hong Kong"),
    "macau": N_("Macau"),
    "embassy": N_("Embassy"),
    "consulate": N_("Consulate"),
    "emergency": N_("Emergency rescue"),
    "armed_police": N_("Armed police"),
    "military": N_("Military"),
    "tractor": N_("Tractor"),
    "aviation": N_("Airport"),
    "temporary": N_("Temporary plate"),
    "unknown": N_("Kind unknown"),
}
PLATE_COLOUR = {
    "blue": N_("Blue plate"),
    "yellow": N_("Yellow plate"),
    "green": N_("Green plate"),
    "yellow_green": N_("Yellow-green plate"),
    "white": N_("White plate"),
    "black": N_("Black plate"),
    "farm_green": N_("Farm-green plate"),
    "paper": N_("Paper plate"),
    "unknown": N_("Colour unknown"),
}
ENERGY = {
    "battery_electric": N_("Battery-electric"),
    "plug_in_or_fuel_cell": N_("Plug-in or fuel cell"),
    "fuel": N_("Fuel"),
    "no_engine": N_("No engine"),
    "unknown": N_("Drive unknown"),
}
VEHICLE = {
    "car": N_("Car"),
    "minibus": N_("Minibus"),
    "bus": N_("Bus"),
    "pickup": N_("Pickup"),
    "truck": N_("Truck"),
    "fire_engine": N_("Fire engine"),
    "ambulance": N_("Ambulance"),
    "police_car": N_("Police car"),
    "crane": N_("Crane"),
    "machinery": N_("Machinery"),
    "sanitation": N_("Sanitation vehicle"),
    "golf_cart": N_("Golf cart"),
    "motorcycle": N_("Motorcycle"),
    "tricycle": N_("Tricycle"),
    "unknown": N_("Vehicle type unsure"),
}
ROLE = {
    "visitor": N_("Visitor"),
    "driver": N_("Driver"),
    "organisation": N_("Organisation"),
    "merchant": N_("Merchant"),
    "guard": N_("Guard"),
    "operator": N_("Microgrid operator"),
    "reviewer": N_("Reviewer"),
    "approver": N_("Approver"),
    "auditor": N_("Auditor"),
    "engineer": N_("Engineer"),
}
PERMIT_CLASS = {
    "emergency": N_("Emergency permit"),
    "special": N_("Special vehicle"),
    "standing": N_("Standing permit"),
}
PERMIT_STATE = {
    "active": N_("Valid now"),
    "future": N_("Not yet valid"),
    "expired": N_("Expired"),
    "used_up": N_("Entries used up"),
    "revoked": N_("Revoked"),
}
EFFECT = {"block": N_("Block"), "alert": N_("Alert"), "allow": N_("Allow")}
LIVENESS = {"live": N_("Live"), "stale": N_("Stale"), "lost": N_("Lost"), "never": N_("Never heard")}
DEVICE = {
    "camera": N_("Camera"),
    "barrier": N_("Barrier"),
    "display": N_("Message display"),
    "clock": N_("Clock"),
    "disk": N_("Disk"),
    "reader": N_("Plate reader"),
    "models": N_("Reading models"),
}
BARRIER = {
    "open": N_("Barrier up"),
    "closed": N_("Barrier down"),
    "opening": N_("Barrier opening"),
    "closing": N_("Barrier closing"),
    "fault": N_("Barrier fault"),
    "unknown": N_("Barrier unknown"),
    "none": N_("No barrier"),
}
DEVICE_WHY = {
    "camera_frozen": N_("Picture stopped"),
    "clock_ahead": N_("Gateway's clock is far ahead: its events wait until it is put right"),
    "frozen": N_("Picture stopped"),
    "camera_lost": N_("Camera does not answer"),
    "camera_starting": N_("Camera is starting"),
    "starting": N_("Starting"),
    "silent": N_("Does not answer"),
    "barrier_silent": N_("Does not answer"),
    "barrier_unavailable": N_("Does not answer"),
    "unreachable": N_("Does not answer"),
    "stuck": N_("Stuck"),
    "fault": N_("Fault"),
    "loop_fault": N_("Fault"),
    "reader_died": N_("The reading process ended; it is started again"),
    "reader_stuck": N_("The reading process hung; it is started again"),
    "reader_failing": N_("Reading fails on every picture"),
    "reader_failed": N_("Reading failed on this picture"),
    "reader_down": N_("The reading process is not running"),
    "update_refused": N_("A model update was refused; the models in use stay"),
    "update_rolled_back": N_("New models failed; the ones before are in use again"),
}
DIRECTION = {"in": N_("Entry"), "out": N_("Exit")}
SYNC_LANE = {
    "gate": N_("Gate"),
    "alarm": N_("Alarms"),
    "telemetry": N_("Telemetry"),
    "media": N_("Pictures"),
    "0": N_("Gate"),
    "1": N_("Alarms"),
    "2": N_("Telemetry"),
    "3": N_("Pictures"),
}
COMMAND_RESULT = {
    "done": N_("done"),
    "refused": N_("refused by the gateway"),
    "expired": N_("expired"),
    "failed": N_("failed"),
    "unknown_after_crash": N_("unknown after a restart"),
}
SOURCE = {"hut": N_("hut"), "console": N_("console")}
MOVEMENT = {"passed": N_("Passed the barrier"), "backed_out": N_("Backed out")}
# Why a person admits, or refuses: five of each, and free text beside.
ADMIT_REASON = {
    "plate_read_by_eye": N_("I read the plate by eye"),
    "new_energy_confirmed": N_("It is a new-energy vehicle"),
    "emergency_duty": N_("On emergency duty"),
    "manager_approved": N_("The duty manager agreed"),
    "system_fault": N_("The system is at fault"),
}
PERMIT_REASON = {"permit_checked": N_("Permit and vehicle match")}
REFUSE_REASON = {
    "fuel_no_permit": N_("Fuel vehicle without a permit"),
    "permit_invalid": N_("Permit not valid now or here"),
    "plate_mismatch": N_("Plate and vehicle do not match"),
    "check_declined": N_("Driver declined the check"),
    "unsafe": N_("Not safe to let in"),
}
REVISE_REASON = {
    "decided_by_mistake": N_("Decided by mistake"),
    "plate_was_misread": N_("The plate was misread"),
    "permit_came_later": N_("A permit came later"),
    "rule_misapplied": N_("The rule was misapplied"),
    "other": N_("Another reason"),
}
ANY_REASON = ADMIT_REASON | PERMIT_REASON | REFUSE_REASON | REVISE_REASON
HEAD_ACTION = {
    "adapt": N_("Learn"),
    "use": N_("Use a version"),
    "roll_back": N_("Step back"),
}
AUDIT_ACTION = {
    "hold_decided": N_("Decided a held vehicle"),
    "plate_corrected": N_("Corrected a plate"),
    "decision_revised": N_("Revised a decision"),
    "note_added": N_("Added a note"),
    "permit_added": N_("Added a permit"),
    "permit_revoked": N_("Revoked a permit"),
    "application_create": N_("Began an application"),
    "application_copy": N_("Copied an application"),
    "application_emergency_entry": N_("Emergency entry without papers"),
    "application_edit": N_("Changed an application"),
    "application_submit": N_("Submitted an application"),
    "application_return": N_("Returned an application"),
    "application_approve": N_("Approved an application"),
    "application_undo_approval": N_("Took an approval back"),
    "application_refuse": N_("Refused an application"),
    "application_activate": N_("A permit began"),
    "application_count_entries": N_("Counted entries"),
    "application_expire": N_("A term ended"),
    "application_revoke": N_("Took a permit back"),
    "application_assign": N_("Named the applicant"),
    "application_appeal": N_("Appealed"),
    "application_grant_appeal": N_("Granted an appeal"),
    "application_reject_appeal": N_("Rejected an appeal"),
    "application_opened": N_("Opened an application"),
    "document_uploaded": N_("Uploaded a paper"),
    "document_opened": N_("Opened a paper"),
    "visits_searched": N_("Searched visits"),
    "visit_opened": N_("Opened a visit"),
    "watch_added": N_("Put a plate on a list"),
    "watch_removed": N_("Took a plate off a list"),
    "registry_set": N_("Set a registry entry"),
    "user_added": N_("Added an account"),
    "user_changed": N_("Changed an account"),
    "password_set": N_("Set a password"),
    "passage_opened": N_("Opened a passage"),
    "passages_searched": N_("Searched passages"),
    "passages_exported": N_("Exported passages"),
    "signed_in": N_("Signed in"),
    "signed_out": N_("Signed out"),
    "set_up": N_("Set up the system"),
    "head_ordered": N_("Ordered what vehicle types a gateway uses"),
    "energy_settings_staged": N_("Staged settings of the microgrid"),
    "energy_settings_released": N_("Put settings of the microgrid in force"),
    "energy_settings_discarded": N_("Discarded staged settings"),
    "energy_taken_over": N_("Took over the microgrid"),
    "energy_exported": N_("Exported telemetry"),
    "registered": N_("Opened an account"),
    "consent_changed": N_("Changed a consent"),
    "personal_data_corrected": N_("Corrected own data"),
    "personal_data_copied": N_("Copied a person's data"),
    "account_anonymised": N_("Made an account anonymous"),
    "token_reused": N_("A used token came again; its family was ended"),
    "signed_out_everywhere": N_("Signed out everywhere"),
    "guardian_changed": N_("Changed a guardian"),
    "data_request_made": N_("Asked about personal data"),
    "data_request_opened": N_("Opened a request about personal data"),
    "data_request_answered": N_("Answered a request about personal data"),
    "organisation_added": N_("Added an organisation"),
    "organisation_changed": N_("Changed an organisation"),
    "member_changed": N_("Changed a member"),
    "provider_linked": N_("Linked a sign-in provider"),
    "provider_unlinked": N_("Unlinked a sign-in provider"),
    "rules_changed": N_("Wrote a rule"),
    "points_opened": N_("Opened somebody's points"),
    "points_released": N_("Released held points"),
    "points_refused": N_("Refused held points"),
    "points_reversed": N_("Reversed points"),
    "appeal_decided": N_("Answered an appeal"),
    "device_added": N_("Put up a device"),
    "device_rotated": N_("Made a new secret for a device"),
    "device_switched": N_("Switched a device"),
    "device_clock_set": N_("Set a device's clock"),
    "way_set": N_("Set the way between places"),
    "merchant_methods_set": N_("Set what a merchant may confirm"),
    "item_added": N_("Put an item on offer"),
    "item_changed": N_("Changed an item on offer"),
    "redemption_used": N_("Took a redemption code"),
    "scheme_proposed": N_("Proposed a voucher scheme"),
    "scheme_approved": N_("Approved a voucher scheme"),
    "scheme_ended": N_("Ended a voucher scheme"),
    "voucher_issued": N_("Issued a voucher"),
    "voucher_spent": N_("Took an amount of a voucher"),
    "voucher_taken_back": N_("Took a voucher's spend back"),
}
SUBJECT = {
    "application": N_("Application"),
    "document": N_("Paper"),
    "search": N_("Search"),
    "visit": N_("Visit"),
    "passage": N_("Passage"),
    "passages": N_("Passages"),
    "permit": N_("Permit"),
    "watch": N_("Watch list"),
    "registry": N_("Registry"),
    "user": N_("Account"),
    "media": N_("Picture"),
    "gateway": N_("Gateway"),
    "microgrid": N_("Microgrid"),
    "organisation": N_("Organisation"),
    "data_request": N_("Request about data"),
    "rule_book": N_("Rule book"),
    "person": N_("Person"),
    "point_event": N_("Act for points"),
    "point_entry": N_("Entry of points"),
    "point_appeal": N_("Appeal about points"),
    "point_device": N_("Device that shows codes"),
    "point_way": N_("Way between places"),
    "catalogue_item": N_("Item on offer"),
    "redemption": N_("Redemption"),
    "voucher": N_("Voucher"),
    "voucher_scheme": N_("Voucher scheme"),
}
FIELD = {
    "plate": N_("Plate"),
    "outcome": N_("Result"),
    "reason_code": N_("Why"),
    "permit_id": N_("Permit"),
    "class": N_("Class"),
    "from": N_("From"),
    "until": N_("Until"),
    "effect": N_("Effect"),
    "role": N_("Role"),
    "enabled": N_("Switched on"),
    "username": N_("Sign-in name"),
    "action": N_("Act"),
    "version": N_("Version"),
    "force": N_("Even if worse"),
}
TABLES = {
    "field": FIELD,
    "outcome": OUTCOME,
    "kind": PLATE_KIND,
    "colour": PLATE_COLOUR,
    "energy": ENERGY,
    "vehicle": VEHICLE,
    "role": ROLE,
    "permit_class": PERMIT_CLASS,
    "permit_state": PERMIT_STATE,
    "effect": EFFECT,
    "liveness": LIVENESS,
    "device": DEVICE,
    "barrier": BARRIER,
    "direction": DIRECTION,
    "device_why": DEVICE_WHY,
    "sync_lane": SYNC_LANE,
    "result": COMMAND_RESULT,
    "source": SOURCE,
    "movement": MOVEMENT,
    "why": ANY_REASON,
    "action": AUDIT_ACTION,
    "subject": SUBJECT,
    "head_action": HEAD_ACTION,
}


def label(words: Words, table: str, code: str | None) -> str:
    """The word for a code; a code that nobody named is shown as it is."""
    if code is None:
        return "—"
    message = TABLES[table].get(str(code))
    return words.gettext(message) if message else str(code)
