-- Users of a day. A coalesced flood (repeat_count above 1) adds to a user's attempts but makes nobody a user.
select
    day,
    traffic,
    coalesce(user_id, client) as "user",
    count(*) filter (repeat_count = 1) as single,
    sum(repeat_count)::bigint as attempts,
    coalesce(sum(repeat_count) filter (outcome = 'SUCCESS'), 0)::bigint as success,
    coalesce(sum(repeat_count) filter (outcome = 'FAILED'), 0)::bigint as failed,
    min(epoch_us(received_at)) as first_us,
    max(epoch_us(received_at)) as last_us,
    max(epoch_us(received_at)) filter (repeat_count = 1 and outcome = 'SUCCESS') as accepted_us,
    max(epoch_us(received_at)) filter (repeat_count = 1 and outcome = 'FAILED') as refused_us
from attempts
where
    kind = 'attempt'
    and coalesce(user_id, client) is not null
group by all
