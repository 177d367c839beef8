-- Where a page of the newest matching rows begins: two narrow columns, so that a day of millions stays cheap.
select
    received_at,
    seq
from attempts
where {conditions}
order by
    received_at desc,
    seq desc
limit $size
