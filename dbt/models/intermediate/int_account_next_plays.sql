with ranked as (
    select * from {{ ref('int_account_plays_ranked') }}
),

playbook as (
    select * from {{ ref('tier_plays') }}
)

select
    first_plays.account_sk,
    first_plays.play_id as next_play_id,
    first_plays.play_trigger,
    first_plays.play_kind,
    playbook.tool as play_tool,
    playbook.title_en as next_play_title_en,
    playbook.title_fr as next_play_title_fr,
    playbook.effort_hours as play_effort_hours,
    second_plays.play_id as second_play_id
from ranked as first_plays
inner join playbook on first_plays.play_id = playbook.play_id
left join ranked as second_plays
    on first_plays.account_sk = second_plays.account_sk and second_plays.play_rank = 2
where first_plays.play_rank = 1
