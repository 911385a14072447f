"""Routes of configuration: presets, the schema, and what a config would be before anything is stored."""

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from dreamer_core.config.layers import describe_presets, preset_names
from dreamer_core.config.schema import config_schema
from server.configs.resolve import Layer, Words, resolve, resolve_preset
from server.configs.seeds import seeds_of
from server.errors import NotFoundError
from server.house import HouseDep
from server.jsonvalues import LARGEST

router = APIRouter(tags=["configuration"])

_Seeds = Annotated[list[Annotated[int, Field(ge=0, le=LARGEST)]], Field(min_length=1, max_length=1000)]


class PresetOut(BaseModel):
    name: str = Field(examples=["cartpole"])
    text: str = Field(description="what it is, in a line")


class PresetList(BaseModel):
    items: list[PresetOut]


class WholePreset(BaseModel):
    preset: str = Field(examples=["cartpole+sheeprl-XS"])
    config: dict[str, Any] = Field(description="the whole of it, every key with its value")


class ValidateIn(BaseModel):
    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"words": ["preset=cartpole", "algo.horizon=10"]}]}
    )

    words: Words = []
    config: Layer | None = None
    seeds: _Seeds | None = None
    estimate: bool = Field(default=False, description="also count parameters and memory, which takes seconds")


class ValidateOut(BaseModel):
    preset: str
    config: dict[str, Any] = Field(description="the whole of it, every key with its value")
    fingerprint: str
    family: str
    env: str
    recipe: str
    mode: str
    seed: int
    total_steps: int
    seeds: list[int] = Field(description="one run each")
    estimate: dict[str, Any] | None = Field(description="what `dreamgate train --dry-run --json` says")
    estimate_problem: str | None = Field(description="why there is no estimate, where one was asked for")


@router.get("/presets", response_model=PresetList)
def list_presets() -> PresetList:
    """The presets, each with what it is"""
    return PresetList(items=[PresetOut(name=name, text=text) for name, text in describe_presets().items()])


@router.get("/presets/{name}", response_model=WholePreset)
def read_preset(name: str) -> WholePreset:
    """The whole config of a preset, or of several joined by +"""
    if not set(name.split("+")) <= set(preset_names()):
        raise NotFoundError.of("preset", name)
    found = resolve_preset(name)
    return WholePreset(preset=found.preset, config=found.config)


@router.get("/config/schema", response_model=dict[str, Any])
def read_schema() -> dict[str, Any]:
    """The configuration as JSON Schema 2020-12: types, choices, defaults and what each key means"""
    return config_schema()


@router.post("/validate", response_model=ValidateOut)
def validate(house: HouseDep, body: ValidateIn) -> ValidateOut:
    """What a config would be, checked and whole; nothing is stored. 422 says what is wrong, as the command line does"""
    found = resolve(body.words, body.config)
    seeds = seeds_of(body.words, body.seeds, found.seed)
    estimate, problem = house.estimates.of(found.config) if body.estimate else (None, None)
    return ValidateOut(**found._asdict(), seeds=seeds, estimate=estimate, estimate_problem=problem)
