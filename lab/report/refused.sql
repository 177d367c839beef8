-- Who was refused for what: one row a category, source, field (or none) and scope of a limit (or none), with the
-- most of them in one minute.
with minutes as (
    select
        coalesce(failure_category, 'UNSPECIFIED') as category,
        source,
        case when json_valid(failure_context) then failure_context ->> '$.field' end as field,
        case
            when failure_category = 'RATE_LIMIT_EXCEEDED' and json_valid(failure_context)
                then failure_context ->> '$.scope'
        end as scope,
        time_bucket(interval 1 minute, received_at) as minute,
        sum(repeat_count)::bigint as attempts,
        list(distinct coalesce(user_id, client)) filter (repeat_count = 1) as users,
        min(received_at) as first_at,
        max(received_at) as last_at
    from attempts
    where
        kind = 'attempt'
        and outcome = 'FAILED'
        and ($traffic = 'All' or traffic = $traffic)
    group by all
)

select
    category,
    source,
    field,
    sum(attempts)::bigint as attempts,
    coalesce(len(list_distinct(flatten(list(users)))), 0)::bigint as users,
    min(first_at) as first_at,
    max(last_at) as last_at,
    max(attempts)::bigint as peak,
    scope
from minutes
group by category, source, field, scope
order by attempts desc, category, source, field, scope
