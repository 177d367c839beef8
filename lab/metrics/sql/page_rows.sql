-- The page itself: every column, but only of the row groups that its span of time touches.
select * exclude (traffic)
from attempts
where
    received_at between $oldest and $newest
    and {conditions}
order by
    received_at desc,
    seq desc
limit $size
