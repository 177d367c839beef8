-- How many rows of a day match, and how many attempts they stand for.
select
    count(*) as stored,
    coalesce(sum(repeat_count) filter (kind = 'attempt'), 0)::bigint as attempts
from attempts
where {conditions}
