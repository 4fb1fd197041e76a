"""Vehicles of a person or an organisation, and the office's word whose a plate is."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field

from cloud_sync.server import auth
from cloud_sync.server.api.address import API
from cloud_sync.server.api.session import remote_of
from cloud_sync.server.permits import access, vehicles
from cloud_sync.server.permits.records import VehicleRecord
from cloud_sync.server.permits.vehicles import VehicleDrive, VehicleForm
from cloud_sync.server.roles import Can
from cloud_sync.server.services import Services, services
from control.domain.plates import PlateColour
from control.domain.vehicles import VehicleType

router = APIRouter(prefix=API, tags=["vehicles"])
Given = Annotated[Services, Depends(services)]
Reviewer = auth.who_may(Can.REVIEW)


class VehicleWords(BaseModel):
    """What a vehicle is. Consumption in L, kg or m3 per 100 km."""

    plate_colour: PlateColour = PlateColour.UNKNOWN
    vehicle_type: VehicleType = VehicleType.UNKNOWN
    drive: VehicleDrive
    emission_class: str = Field(default="", max_length=64)
    consumption_per_100km: Decimal | None = Field(default=None, gt=0, max_digits=9, decimal_places=3)
    name: str = Field(default="", max_length=100)


class VehicleBody(VehicleWords):
    """A vehicle to add."""

    plate: str = Field(min_length=4, max_length=16)


class ConfirmBody(BaseModel):
    """Whether the office has seen the licence."""

    confirmed: bool


def _form(body: VehicleWords, plate: str) -> VehicleForm:
    return VehicleForm(
        plate=plate,
        plate_colour=body.plate_colour,
        vehicle_type=body.vehicle_type,
        drive=body.drive.value,
        emission_class=body.emission_class,
        consumption_per_100km=body.consumption_per_100km,
        name=body.name,
    )


@router.get("/vehicles")
async def listed(user: auth.AnyPerson, given: Given) -> tuple[VehicleRecord, ...]:
    """This person's or their organisation's vehicles."""
    return await vehicles.listed(given.pool, access.owners_of(user))


@router.get("/vehicles/unconfirmed")
async def unconfirmed(user: Reviewer, given: Given) -> tuple[VehicleRecord, ...]:
    """Vehicles whose licence nobody has looked at yet."""
    return await vehicles.unconfirmed(given.pool)


@router.post("/vehicles", status_code=201)
async def add(body: VehicleBody, user: auth.AnyPerson, given: Given, request: Request) -> VehicleRecord:
    """Adds a vehicle."""
    return await vehicles.add(given, user, _form(body, body.plate), remote=remote_of(request))


@router.put("/vehicles/{vehicle_id}")
async def change(
    vehicle_id: str, body: VehicleWords, user: auth.AnyPerson, given: Given, request: Request
) -> VehicleRecord:
    """Describes it anew; its plate stays."""
    return await vehicles.change(given, user, vehicle_id, _form(body, ""), remote=remote_of(request))


@router.delete("/vehicles/{vehicle_id}", status_code=204)
async def remove(vehicle_id: str, user: auth.AnyPerson, given: Given, request: Request) -> None:
    """Takes it off the list."""
    await vehicles.remove(given, user, vehicle_id, remote=remote_of(request))


@router.post("/vehicles/{vehicle_id}/confirm", status_code=204)
async def confirm(vehicle_id: str, body: ConfirmBody, user: Reviewer, given: Given, request: Request) -> None:
    """The office has seen its licence, or takes that back."""
    await vehicles.confirm(given, user, vehicle_id, confirmed=body.confirmed, remote=remote_of(request))
