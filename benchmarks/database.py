"""Definitions into rows, in bulk."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction

from flaggate import models
from flaggate.core.definitions import Flag, Segment

BATCH = 1000


@transaction.atomic
def replace(flags: Mapping[str, Flag], segments: Mapping[str, Segment]) -> None:
    """Make the database hold these flags and segments, and nothing else."""
    for model in (models.Rule, models.Prerequisite, models.Flag, models.Segment):
        model.objects.all().delete()
    segment_ids = _segments(segments)
    rows = {
        flag.key: models.Flag(
            key=flag.key,
            enabled=flag.enabled,
            percentage=flag.percentage,
            salt=flag.salt,
            off_variant=flag.off_variant,
        )
        for flag in flags.values()
    }
    models.Flag.objects.bulk_create(rows.values(), BATCH)
    _variants(flags, rows)
    _rules(flags, rows, segment_ids)
    models.Prerequisite.objects.bulk_create(
        [
            models.Prerequisite(flag=rows[flag.key], required=rows[each.flag])
            for flag in flags.values()
            for each in flag.prerequisites
        ],
        BATCH,
    )


def _segments(segments: Mapping[str, Segment]) -> dict[str, int]:
    rows = {key: models.Segment(key=key, name=key) for key in segments}
    models.Segment.objects.bulk_create(rows.values(), BATCH)
    models.Condition.objects.bulk_create(
        [
            models.Condition(
                segment=rows[key],
                attribute=condition.attribute,
                operator=condition.operator,
                values=list(condition.values),
            )
            for key, segment in segments.items()
            for condition in segment.conditions
        ],
        BATCH,
    )
    models.SegmentMember.objects.bulk_create(
        [
            models.SegmentMember(segment=rows[key], targeting_key=unit.decode())
            for key, segment in segments.items()
            for unit in segment.included
        ],
        BATCH,
    )
    return {key: row.pk for key, row in rows.items()}


def _variants(flags: Mapping[str, Flag], rows: Mapping[str, models.Flag]) -> None:
    models.Variant.objects.bulk_create(
        [
            models.Variant(
                flag=rows[flag.key],
                key=variant.key,
                value=variant.value,
                weight=variant.weight,
                order=order,
            )
            for flag in flags.values()
            for order, variant in enumerate(flag.variants)
        ],
        BATCH,
    )


def _rules(
    flags: Mapping[str, Flag], rows: Mapping[str, models.Flag], segment_ids: Mapping[str, int]
) -> None:
    rules = [
        (
            rule,
            models.Rule(
                flag=rows[flag.key], order=order, percentage=rule.percentage, variant=rule.variant
            ),
        )
        for flag in flags.values()
        for order, rule in enumerate(flag.rules)
    ]
    models.Rule.objects.bulk_create([row for _rule, row in rules], BATCH)
    link = models.Rule.segments.through
    link.objects.bulk_create(
        [
            link(rule_id=row.pk, segment_id=segment_ids[key])
            for rule, row in rules
            for key in rule.segments
        ],
        BATCH,
    )
