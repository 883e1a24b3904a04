with described as (
    select * from {{ ref('int_account_tiers_described') }}
    where is_active and not is_excluded
),

signals as (
    select * from {{ ref('int_account_signals') }}
),

playbook as (
    select * from {{ ref('tier_plays') }}
),

fitting as (
    select
        described.account_sk,
        described.account_key,
        playbook.play_id,
        playbook.play_trigger,
        playbook.play_kind,
        signals.urgency,
        playbook.priority,
        row_number() over (
            partition by described.account_sk, playbook.play_kind
            order by signals.urgency, playbook.priority, playbook.play_id
        ) as order_in_kind
    from described
    inner join signals on described.account_sk = signals.account_sk
    inner join playbook
        on
            signals.play_trigger = playbook.play_trigger
            and playbook.tier in (described.final_tier, '*')
            and playbook.posture in (described.posture, '*')
)

select
    fitting.account_sk,
    fitting.account_key,
    fitting.play_id,
    fitting.play_trigger,
    fitting.play_kind,
    cast(
        row_number() over (
            partition by fitting.account_sk
            order by fitting.urgency, fitting.priority, fitting.play_id
        ) as bigint
    ) as play_rank
from fitting
where fitting.order_in_kind = 1
