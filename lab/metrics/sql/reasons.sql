-- Why attempts of a day were refused, down to the field that the refusal names.
select
    day,
    traffic,
    coalesce(failure_category, 'UNSPECIFIED') as category,
    failure_stage as stage,
    failure_reason as reason,
    case when json_valid(failure_context) then failure_context ->> '$.field' end as field,
    sum(repeat_count)::bigint as attempts
from attempts
where
    kind = 'attempt'
    and outcome = 'FAILED'
group by all
