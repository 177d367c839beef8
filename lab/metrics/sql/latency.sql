-- Latency of a day as a histogram of whole tenths of a millisecond, so that parts of a day add up exactly.
select
    day,
    traffic,
    round(greatest(0, least(latency_ms, 1e9)) * 10)::bigint as bucket,
    count(*) as attempts
from attempts
where
    kind = 'attempt'
    and repeat_count = 1
    and isfinite(latency_ms)
group by all
