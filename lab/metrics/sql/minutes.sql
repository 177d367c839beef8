-- Attempts of a day by minute; `minute` counts from 1970 in UTC, so the hour that a clock repeats is two hours.
select
    day,
    traffic,
    epoch_us(received_at) // 60000000 as minute,
    sum(repeat_count)::bigint as attempts,
    coalesce(sum(repeat_count) filter (outcome = 'SUCCESS'), 0)::bigint as success,
    coalesce(sum(repeat_count) filter (outcome = 'FAILED'), 0)::bigint as failed
from attempts
where kind = 'attempt'
group by all
