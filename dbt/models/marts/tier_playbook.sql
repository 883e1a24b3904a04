select
    plays.play_id,
    plays.tier,
    plays.posture,
    plays.play_trigger,
    triggers.urgency,
    plays.priority,
    plays.play_kind,
    plays.tool,
    plays.title_en,
    plays.title_fr,
    plays.action_en,
    plays.action_fr,
    plays.success_measure_en,
    plays.success_measure_fr,
    cast(plays.effort_hours as decimal(6, 2)) as effort_hours
from {{ ref('tier_plays') }} as plays
inner join {{ ref('play_triggers') }} as triggers on plays.play_trigger = triggers.play_trigger
