-- Attempts of a day by everything that is only counted. `stored` counts rows, `attempts` what they stand for.
select
    day,
    traffic,
    kind,
    source,
    page,
    outcome,
    failure_category as category,
    duplicate_kind,
    count(*) as stored,
    sum(repeat_count)::bigint as attempts,
    count(*) filter (kind = 'attempt' and outcome = 'SUCCESS' and lead_id is not null) as leads,
    min(epoch_us(received_at)) as first_us,
    max(epoch_us(received_at)) as last_us
from attempts
group by all
